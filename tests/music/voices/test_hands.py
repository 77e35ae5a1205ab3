"""Music for a keyboard, split at middle C."""

from fractions import Fraction

import pytest

from composer.api import Note, Part
from composer.music.voices.hands import hands


def part(*pitches, together=True):
    return Part(tuple(Note(Fraction(0 if together else at), pitch, Fraction(1)) for at, pitch in enumerate(pitches)))


def test_hands_are_split_at_middle_c():
    found = {clef: [note.pitch for note in notes] for clef, notes in hands(part(36, 59, 60, 72)).items()}
    assert found == {"treble": [60, 72], "bass": [36, 59]}


@pytest.mark.parametrize("pitches", [(60, 64, 72), (36, 43, 52)])
def test_one_clef_suits_high_or_low_chords(pitches):
    assert hands(part(*pitches)) == {}


def test_melodies_and_percussion_have_no_hands():
    assert hands(part(36, 72, together=False)) == {}
    assert hands(Part(part(36, 72).notes, percussion=True)) == {}
    assert hands(Part()) == {}
