"""A piece whose key is asked for ends with the chord of its tonic, not of its relative."""

import pytest

from composer.api import GenerationContext, Piece
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.last_chord import ClosingGuard, tonic_chord
from composer_pianoroll.rules import Rules
from composer_pianoroll.voice_leading import FAULT

AM, C, AM6, A = (45, 60, 64), (48, 60, 64, 67), (48, 57, 64), (45, 61, 64)


def piece(last, before=C):
    """Two bars of 2/4, in steps of half a beat, of which the second has one chord."""
    notes = [GridNote(0, pitch, 4) for pitch in before] + [GridNote(4, pitch, 4) for pitch in last]
    return Piece(Roll.from_notes(8, notes), labels={"meter": "2/4"})


def fitted(**options):
    found = Pianoroll(PianorollOptions(range="40-72", steps=2, positions=True, **options))
    found.fit([piece(AM), piece(C)])
    found.restore({**found.state(), "triads": None, "thin_chords": None, "last_chord": None})
    return found


def constraint(found, tune=None, rules=None, **controls):
    context = GenerationContext(plan="2/4,2", tune=tune, rules=rules)
    return found.constraint(PianorollControls(parallels="allow", returns="none", **controls), context)


@pytest.mark.parametrize("options", [{}, {"stack": 2}, {"onsets": False}], ids=str)
@pytest.mark.parametrize(("last", "faults"), [(AM, 0), (A, 2), (C, 2), (AM6, 1), ((45, 64), 1), ((), 2)], ids=str)
def test_another_last_chord_than_the_tonics_has_a_weight(last, faults, options):
    found = fitted(**options)
    guard, total = constraint(found, key="Am"), 0.0
    state = guard.start(())
    for frame in found.layout.frames(piece(last).content):
        total += guard.log_weight(state, frame)
        state = guard.step(state, frame)
    assert total == pytest.approx(faults * FAULT)


def test_only_a_key_that_is_asked_for_counts():
    found = fitted()
    assert isinstance(constraint(found, key="Am"), ClosingGuard)
    assert isinstance(constraint(found, scale="D dorian"), ClosingGuard)
    assert not isinstance(constraint(found), ClosingGuard)
    assert not isinstance(constraint(found, piece(AM), key="Am", keep_bars="1"), ClosingGuard), "a tune has its ending"
    assert not isinstance(constraint(found, key="Am", rules=Rules.KEY_ENDINGS - 1), ClosingGuard), "older pieces"


@pytest.mark.parametrize(
    ("controls", "tonic", "thirds"),
    [
        ({"key": "F#m"}, 6, (3,)),
        ({"key": "Eb"}, 3, (4,)),
        ({"key": "Gdor"}, 7, (3,)),
        ({"scale": "blues", "key": "D"}, 2, (3,)),
        ({"scale": "chromatic", "key": "Am"}, 9, (3, 4)),
        ({"scale": "chromatic", "key": "A"}, 9, (4,)),
    ],
    ids=str,
)
def test_tonics(controls, tonic, thirds):
    assert constraint(fitted(), **controls).closing[1:] == (tonic, thirds)


def test_pitches_without_the_chord_of_the_tonic():
    assert tonic_chord("Am", (57, 62, 64)) is None
    assert tonic_chord("Am", (60, 64)) is None
    assert tonic_chord("?", (60, 64, 67)) is None
    assert not isinstance(constraint(fitted(), key="Am", range="C4-F4"), ClosingGuard)
