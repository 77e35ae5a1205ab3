"""The performance representation: contract, exact timing, and an automaton that allows exactly what is encoded."""

import random
from fractions import Fraction

import pytest
from composer_performance import Performance, PerformanceControls, PerformanceOptions
from composer_performance.constraint import PerformanceConstraint
from composer_performance.events import END, NOTE_OFF, NOTE_ON, SHIFT, SIZE, VELOCITY, PlayedNote, bin_of, velocity_of

from composer.api import GenerationContext, Note, OptionError, Part, Score, Tempo, Unsatisfiable
from composer.api.testing import check_representation, source
from composer.formats import write


def performance(seed, notes=40):
    """A MIDI file of notes that keep to no grid, at a tempo that changes."""
    chance, at, played = random.Random(seed), Fraction(0), []
    for _ in range(notes):
        at += chance.choice((0, Fraction(1, 17), Fraction(3, 8), 3))
        length = Fraction(chance.randrange(1, 900), 480)
        played.append(Note(at, chance.randrange(30, 100), length, chance.randrange(1, 128)))
    tempos = (Tempo(Fraction(0), 97.3), Tempo(Fraction(8), 140.0))
    return write("midi", Score((Part(tuple(played)),), tempos=tempos))


SOURCES = [source(performance(seed), f"{seed}.mid") for seed in (1, 2)]


@pytest.fixture
def representation():
    return Performance()


@pytest.fixture
def pieces(representation):
    return [piece for each in SOURCES for piece in representation.read(each)]


def follow(constraint, steps, state=None):
    """Return the state after `steps`, each of which must be allowed."""
    state = constraint.start(()) if state is None else state
    for number, step in enumerate(steps):
        assert constraint.allowed(state) >> step & 1, f"step {number}, {step}, is not allowed"
        state = constraint.step(state, step)
    return state


def walk(constraint, chance, most):
    """Return a random piece that is closed after `most` steps."""
    state, steps = constraint.start(()), []
    while len(steps) < most:
        mask = constraint.allowed(state)
        step = chance.choice([step for step in range(SIZE) if mask >> step & 1])
        steps.append(step)
        if step == END:
            return steps
        state = constraint.step(state, step)
    ending = constraint.complete(state)
    follow(constraint, ending, state)
    return [*steps, *ending]


def test_contract():
    controls = (PerformanceControls(duration=3, max_notes=2), PerformanceControls(range="C3-C6", key="Am"))
    check_representation(Performance, SOURCES, controls=controls)


def test_there_are_413_events_and_an_end_symbol(representation):
    assert representation.spec.size == 1 + 128 + 128 + 125 + 32


def test_time_is_exact_to_8_ms_through_changes_of_tempo(representation):
    notes = (Note(Fraction(0), 60, Fraction(1), 64), Note(Fraction(2), 64, Fraction(1), 127))
    score = Score((Part(notes),), tempos=(Tempo(Fraction(0), 60.0), Tempo(Fraction(1), 120.0)))
    piece = representation.from_score(score)
    # the first beat lasts a second, 125 ticks of 8 ms, the others half of one: 62.5 ticks
    assert piece.content == (PlayedNote(0, 60, 125, 16), PlayedNote(188, 64, 250, 31))
    on, off = NOTE_ON, NOTE_OFF
    assert representation.encode(piece) == [
        VELOCITY + 16, on + 60, SHIFT + 124, off + 60, SHIFT + 62, VELOCITY + 31, on + 64, SHIFT + 61, off + 64, END,
    ]  # fmt: skip
    again = representation.from_score(representation.score(piece))
    assert again.content == piece.content


def test_velocities_keep_their_bin():
    assert [bin_of(velocity) for velocity in (1, 3, 4, 127)] == [0, 0, 1, 31]
    assert all(bin_of(velocity_of(each)) == each for each in range(32))


def test_the_pedal_holds_notes():
    pressed = bytes.fromhex(
        "4d546864 00000006 0000 0001 0060 4d54726b 00000014 00b0407f 00903c40 60803c00 60b04000 00ff2f00"
    )
    held = [
        next(Performance(PerformanceOptions(pedal=pedal)).read(source(pressed, "p.mid"))) for pedal in (True, False)
    ]
    assert [piece.content[0].end for piece in held] == [125, 62]


def test_a_note_ends_when_its_pitch_is_struck_again(representation):
    notes = tuple(Note(Fraction(onset), 60, Fraction(4)) for onset in (0, 1, 1))
    piece = representation.from_score(Score((Part(notes),)))
    assert [(note.start, note.end) for note in piece.content] == [(0, 62), (62, 312)]
    assert piece.losses == {"notes struck twice at the same time left out": 1}


def test_drums_alone_are_skipped_by_name(representation):
    drums = write("midi", Score((Part((Note(Fraction(0), 38, Fraction(1)),), percussion=True),)))
    assert [item.reason for item in representation.read(source(drums, "d.mid"))] == ["only drums"]


def test_variants_are_transposed_and_stretched(pieces):
    piece = pieces[0]
    variants = list(Performance().variants(piece))
    assert len(variants) == 7 * 5 - 1
    assert len({piece.content, *(variant.content for variant in variants)}) == 35
    slowest = next(variant for variant in variants if variant.source.endswith("by +0 and +5 %"))
    assert slowest.content[-1].start == round(piece.content[-1].start * 1.05)
    assert not list(Performance(PerformanceOptions(transpose=0, stretch=0)).variants(piece))


def test_the_constraint_allows_every_training_piece_and_variant(representation, pieces):
    constraint = representation.constraint()
    for piece in pieces:
        for each in (piece, *representation.variants(piece)):
            follow(constraint, representation.encode(each))


@pytest.mark.parametrize("total", [None, 1, 13, 400])
@pytest.mark.parametrize("max_notes", [128, 1, 3])
@pytest.mark.parametrize("pitches", [range(128), (60,), (0, 127)])
def test_whatever_the_constraint_allows_is_its_own_encoding(representation, total, max_notes, pitches):
    chance = random.Random(0)
    for _ in range(8):
        constraint = PerformanceConstraint(pitches, max_notes, total)
        steps = walk(constraint, chance, chance.randrange(120))
        piece = representation.decode(steps)
        assert representation.encode(piece) == steps
        assert total is None or max(note.end for note in piece.content) == total
        for note in piece.content:
            assert note.pitch in pitches
            assert sum(each.start <= note.start < each.end for each in piece.content) <= max_notes


def test_a_primer_must_leave_time(representation, pieces):
    context = GenerationContext(primer=tuple(representation.prime(pieces[0])))
    with pytest.raises(Unsatisfiable, match="which leaves no time in --duration 2"):
        representation.constraint(PerformanceControls(duration=2), context).start(context.primer)
    constraint = representation.constraint(PerformanceControls(duration=600, max_notes=2), context)
    state = constraint.start(context.primer)
    assert representation.decode([*context.primer, *constraint.complete(state)]).content[-1].end == 600 * 125


@pytest.mark.parametrize("values", [{"max_notes": 1}, {"range": "60-60"}, {"max_notes": 2, "duration": 60}])
def test_a_primer_may_end_anywhere(representation, pieces, values):
    constraint, primer = representation.constraint(PerformanceControls(**values)), representation.prime(pieces[0])
    for length in range(len(primer)):
        state = constraint.start(primer[:length])
        assert constraint.allowed(state)
        follow(constraint, constraint.complete(state), state)


def test_invalid_controls_are_named():
    for controls in ({"duration": -1.0}, {"duration": 0.001}, {"max_notes": 129}, {"range": "5"}, {"scale": "blue"}):
        with pytest.raises(OptionError):
            PerformanceControls(**controls)


def test_events_that_make_no_sense_are_played_as_far_as_they_do(representation):
    events = [NOTE_OFF + 60, NOTE_ON + 60, NOTE_ON + 60, SHIFT + 9, NOTE_ON + 60, END, SHIFT, NOTE_ON + 61]
    assert representation.decode(events).content == (
        PlayedNote(0, 60, 10, 20), PlayedNote(10, 60, 11, 20), PlayedNote(11, 61, 12, 20),
    )  # fmt: skip
    decoder = representation.decoder()
    notes = [note for event in events for note in decoder.push(event)] + list(decoder.finish())
    assert sorted(notes) == list(representation.score(representation.decode(events)).notes)


def test_times_are_those_of_the_events(representation):
    steps = [VELOCITY + 9, NOTE_ON + 60, SHIFT + 24, NOTE_ON + 64, SHIFT + 124, NOTE_OFF + 60, NOTE_OFF + 64, END]
    assert list(map(float, representation.times(steps))) == [0, 0, 0, 0.2, 0.2, 1.2, 1.2, 1.2]
