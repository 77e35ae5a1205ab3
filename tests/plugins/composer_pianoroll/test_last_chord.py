"""Pieces end with a chord that is as long as those of most training pieces."""

import numpy as np
import pytest

from composer.api import GenerationContext, Limit, Piece
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, draw_frames
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.last_chord import MAX_LENGTH, LastChordConstraint, last_chord, length_in_piece, usual_last_chord
from composer_pianoroll.rules import Rules

CHORD = (48, 64, 67)


def piece(*lengths):
    """Return a piece of chords with these lengths in steps; a negative one is a rest."""
    notes, now = [], 0
    for length in lengths:
        notes += [GridNote(now, pitch, length) for pitch in CHORD if length > 0]
        now += abs(length)
    return Piece(Roll.from_notes(now, notes), labels={"meter": "2/4"})


LONG, SHORT = piece(2, 2, 4), piece(2, 2, 2, 1, 1)


def fitted(*pieces, **options):
    found = Pianoroll(PianorollOptions(range="40-72", steps=2, positions=True, **options))
    found.fit(pieces)
    return found


def constraint(found, tune=LONG, rules=None, **controls):
    context = GenerationContext(plan=found.plan(tune), rules=rules)
    return found.constraint(PianorollControls(parallels="allow", chords="any", returns="none", **controls), context)


def test_the_length_of_the_last_chord():
    assert [last_chord(each.content) for each in (LONG, SHORT, piece(2, 3, -1))] == [4, 1, 3]
    late = Roll.from_notes(8, [GridNote(0, 48, 8), GridNote(6, 64, 2)])
    assert last_chord(late) == 2, "since the last onset"
    assert last_chord(Roll(0, b"")) == 0


def test_most_last_chords_are_as_long():
    assert usual_last_chord([1, *[4] * 9, *[8] * 9]) == 4
    assert usual_last_chord([10**9]) == MAX_LENGTH
    assert usual_last_chord([4]) == 4
    assert usual_last_chord([]) is None
    assert usual_last_chord([0]) is None


def test_the_last_chord_is_not_shorter_if_those_of_the_training_data_are_longer():
    usual = fitted(LONG)
    assert usual.state()["last_chord"] == 4
    again = Pianoroll(usual.options)
    again.restore(usual.state())
    assert isinstance(constraint(again), LastChordConstraint)
    assert not isinstance(constraint(usual, rules=Rules.FULL_CHORDS), LastChordConstraint), (
        "older pieces are reproduced"
    )
    assert not isinstance(constraint(usual, onsets="1"), LastChordConstraint)
    tune = GenerationContext(tune=SHORT)
    assert not isinstance(usual.constraint(PianorollControls(keep_voices="top"), tune), LastChordConstraint)


@pytest.mark.parametrize("stack", [1, 2])
def test_no_note_starts_in_the_last_chord(stack):
    found = fitted(LONG, stack=stack)
    last, width = constraint(found), found.layout.pitch_count
    state, onsets = last.start(()), []
    for frame in found.layout.frames(LONG.content):
        rule = last.allowed(state)
        onsets += [not rule.must_be_off >> at & 1 for at in range(0, found.layout.size, 2 * width)]
        assert not sum(1 << unit for unit in frame) & rule.must_be_off
        state = last.step(state, frame)
    assert onsets == [True] * 5 + ([False] * 3 if stack == 1 else [False, True, True]), "a stacked last frame needs one"


def test_notes_sound_in_the_last_chord():
    found = fitted(LONG)
    last = constraint(found, rules=Rules.LAST_CHORD)
    before = [len(last.allowed(last.start([()] * steps)).limits) for steps in range(8)]
    assert before == [1, 1, 1, 1, 2, 2, 2, 3], "beside the limits of notes at once and in the last frame"
    silent = last.allowed(last.start([()] * 6))
    assert (silent.limits[-1].min_active, silent.must_be_off & (1 << 33) - 1) == (1, 0), (
        "a note may start after silence"
    )


@pytest.mark.parametrize("damaged", ["x", True, 0, -1, 1.5, MAX_LENGTH + 1])
def test_a_damaged_length_is_refused(damaged):
    with pytest.raises(ValueError, match=r"the length of the last chord is .*, not a whole number from 1 to 4096"):
        fitted(LONG).restore({"last_chord": damaged})


def test_the_last_chord_is_at_most_a_bar_and_half_of_the_piece():
    assert [length_in_piece(usual, 8, 40) for usual in (4, 8, 64)] == [4, 8, 8]
    assert [length_in_piece(64, 8, steps) for steps in (1, 8, 15, 16)] == [0, 4, 7, 8]
    found = fitted(LONG)
    found.restore({**found.state(), "last_chord": 64})
    last = constraint(found, rules=Rules.LAST_CHORD)
    assert [len(last.allowed(last.start([()] * steps)).limits) for steps in (3, 4)] == [1, 2], "a bar of 4 steps"


def test_the_last_chord_ends_with_the_last_whole_frame():
    found = fitted(LONG, stack=4)
    found.restore({**found.state(), "last_chord": 2})
    context = GenerationContext(plan="7/8,2")  # 14 steps, in frames of 4
    last = found.constraint(PianorollControls(parallels="allow", chords="any", returns="none"), context)
    before = [len(last.allowed(last.start([()] * frames)).limits) for frames in range(3)]
    assert last.inner.length == 3
    assert before[0] == before[1], "no limits for the last chord"
    assert last.allowed(last.start([()] * 2)).limits[-2:] == tuple(
        Limit((1 << 66) - 1 << 66 * substep, 66, 1) for substep in (2, 3)
    )


@pytest.mark.parametrize("stack", [1, 2, 4])
def test_the_last_chord_is_held_without_onsets_too(stack):
    found = fitted(LONG, onsets=False, stack=stack)
    found.restore({**found.state(), "last_chord": 3})
    changing = Roll.from_notes(8, [GridNote(step, 48 + step, 1) for step in range(8)])
    last = constraint(found)
    state, frames = last.start(()), []
    for frame in found.layout.frames(changing):  # each of which is as likely as the rule allows
        logits = np.full((1, found.layout.size), -30, np.float32)
        logits[0, [*frame]] = 30
        params = BatchSamplingParams.for_rows(1, rule=[last.allowed(state)])
        drawn = draw_frames(logits, params, CounterRNG([1]).at_steps(np.array([len(frames)]))).steps[0]
        frames.append(tuple(np.flatnonzero(drawn).tolist()))
        state = last.step(state, frames[-1])
    notes = found.decode(frames).content.notes
    assert [(start, pitch, length) for start, pitch, length in notes if start < 5] == [
        (step, 48 + step, 1) for step in range(5)
    ]
    assert [note.length for note in notes if note.start >= 5] == [3]
    silent = last.allowed(last.start([()] * (6 // stack)))
    assert not silent.must_be_off, "a note may start after silence"


@pytest.mark.parametrize("options", [{}, {"onsets": False}, {"onsets": False, "stack": 4}], ids=str)
def test_the_contract_of_constraints(options):
    check_controls(fitted(LONG, **options), [LONG, SHORT], PianorollControls(parallels="allow"))
