"""Surprisal of each step, and the length of a step in beats."""

from fractions import Fraction
from math import log2

import numpy as np
import pytest

from composer.analysis.surprisal import Surprisal, step_onsets, surprisal
from composer.api import EncodeError, Note, Part, Piece, Score, SequenceSpec, StepKind, Unsupported
from composer.checkpoints.load import LoadedModel, load_model
from composer.registry import plugins as registry

SPEC = SequenceSpec(StepKind.TOKENS, size=4, end=0, conditions={"mood": ("glad", "sad")})


class Letters:
    """A representation of the letters a, b and c."""

    def encode(self, piece):
        return [*("abc".index(letter) + 1 for letter in piece.content), 0]


class FixedProbabilities:
    """A sampler in which token n has probability 1 / 2^(n + 1), and half of that if the mood is sad."""

    def initial_state(self, conditions):
        return np.array([row.get("mood") == "sad" for row in conditions], float)

    def advance(self, state, steps, active=None):
        return state

    def log_prob(self, state, steps):
        return -np.log(2) * (steps + 1 + state)


def model(representation=None, sampler=None, spec=SPEC):
    header = type("Header", (), {"spec": spec})
    return LoadedModel(header, representation or Letters(), sampler or FixedProbabilities())


def test_bits_per_step():
    found = surprisal(model(), Piece("abca"))
    assert found.steps == [1, 2, 3, 1, 0]
    assert found.bits == pytest.approx([2, 3, 4, 2, 1])
    assert (found.total, found.mean) == (pytest.approx(12), pytest.approx(12 / 5))
    assert Surprisal((), ()).mean == 0


def test_known_labels_are_conditions():
    assert surprisal(model(), Piece("a", labels={"mood": "sad"})).bits == pytest.approx([3, 2])
    for labels in ({"mood": "wild"}, {"key": "sad"}):
        assert surprisal(model(), Piece("a", labels=labels)).bits == pytest.approx([2, 1])


def test_total_equals_the_sampler_log_probability(checkpoint, tune_file):
    opened = load_model(checkpoint)
    from composer.api import Source

    piece = next(iter(opened.representation.read(Source(tune_file))))
    found = surprisal(opened, piece)
    state, scores = opened.sampler.initial_state([{}]), []
    for step in found.steps:
        scores.append(opened.sampler.log_prob(state, np.array([step]))[0])
        state = opened.sampler.advance(state, np.array([step]))
    assert found.total == pytest.approx(-sum(scores) * log2(np.e))
    assert len(found.steps) == len(found.bits) == len(opened.representation.encode(piece))


def test_unknown_symbol(checkpoint):
    opened = load_model(checkpoint)
    with pytest.raises(EncodeError):
        surprisal(opened, Piece("X:1\nM:4/4\nL:1/8\nK:F#loc\n~~~|]\n"))


class TestStepOnsets:
    @pytest.mark.parametrize(
        ("name", "options", "beats"),
        [
            ("grid", {"step": "1/16"}, Fraction(1, 4)),
            ("grid", {"step": "1/8"}, Fraction(1, 2)),
            ("pianoroll", {"steps": 4}, Fraction(1, 4)),
            ("pianoroll", {"steps": 2, "stack": 2}, Fraction(1)),
            ("pianoroll", {"onsets": False}, Fraction(1, 4)),
        ],
    )
    def test_representations_with_equal_steps(self, name, options, beats):
        kind = registry.representation(name)
        representation = kind(kind.Options(**options))
        notes = [Note(Fraction(2 + beat), 60 + beat % 5, Fraction(2)) for beat in range(0, 16, 2)]
        piece = representation.from_score(Score((Part(tuple(notes)),)))
        representation.fit([piece])
        steps = representation.prime(piece)
        assert step_onsets(representation, steps) == [number * beats for number in range(len(steps))]

    def test_steps_of_different_lengths(self, checkpoint, tune_file):
        opened = load_model(checkpoint)
        from composer.api import Source

        piece = next(iter(opened.representation.read(Source(tune_file))))
        with pytest.raises(Unsupported, match="have different lengths"):
            step_onsets(opened.representation, opened.representation.encode(piece))

    def test_silence(self):
        class Silent(Letters):
            name, decode, score, times = "silent", list, lambda self, piece: None, lambda self, steps: None

        with pytest.raises(Unsupported):
            step_onsets(Silent(), [1, 2])

    def test_times_in_beats_and_in_seconds(self):
        class Events(Letters):
            absolute_time, times = False, lambda self, steps: [Fraction(step, 4) for step in steps]

        class Performance(Events):
            absolute_time = True

        assert step_onsets(Events(), [1, 4, 2]) == [Fraction(1, 4), 1, Fraction(1, 2)]
        assert step_onsets(Performance(), [1, 4]) == [Fraction(1, 2), 2]  # a second is two beats
