"""Clashes, parallels and the last chord of music in voices."""

from fractions import Fraction

import pytest

from composer.analysis.form import form_of
from composer.analysis.voice_leading import (
    clashes_on_beats,
    ends_on_the_tonic_in_the_bass,
    outer_parallels,
)
from composer.api import Key, Note, Part, Score

C_MAJOR = (Key(Fraction(0), 0),)


def chords(*pitches):
    """Return a piece in C major with one chord per beat; an empty one is a rest."""
    notes = [Note(Fraction(beat), pitch, Fraction(1)) for beat, chord in enumerate(pitches) for pitch in chord]
    return Score((Part(tuple(notes)),), keys=C_MAJOR)


@pytest.mark.parametrize(
    ("found", "share"),
    [
        (chords((60, 64), (60, 61), (60, 71), (60, 85)), 3 / 4),
        (chords((60, 64), (), (60, 62)), 0),
        (Score(()), None),
    ],
)
def test_clashes(found, share):
    assert clashes_on_beats(found) == share


@pytest.mark.parametrize(
    ("found", "share"),
    [
        (chords((48, 55), (50, 57)), 1),
        (chords((48, 52, 72), (50, 53, 74), (52, 55, 72)), 1 / 2),
        (chords((48, 55), (48, 55), (50, 55)), None),
        (chords((48, 55), (43, 62)), 1),
        (chords((48, 55), (50, 58)), 0),
    ],
)
def test_parallels_of_outer_voices(found, share):
    assert outer_parallels(found) == share


def test_bass_at_the_end():
    assert ends_on_the_tonic_in_the_bass(chords((55, 71), (48, 67)))
    assert not ends_on_the_tonic_in_the_bass(chords((48, 67), (52, 72)))
    assert not ends_on_the_tonic_in_the_bass(Score(()))
    assert form_of(chords((55, 71), (48, 72))).cadence == 1
    assert form_of(chords((55, 71), (52, 72))).cadence == 1 / 2


def test_held_notes_sound_on_later_beats():
    held = Score((Part((Note(Fraction(0), 60, Fraction(3)), Note(Fraction(2), 61, Fraction(1)))),))
    assert clashes_on_beats(held) == 1 / 3
