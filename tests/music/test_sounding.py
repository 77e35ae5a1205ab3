"""What sounds in a score without pitched notes."""

from fractions import Fraction

from composer.api import Note, Part
from composer.music.sounding import with_drum_rows


def part(*pitches, percussion):
    return Part(
        tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate(pitches)), percussion=percussion
    )


def test_drum_sounds_get_consecutive_rows():
    parts, sounds = with_drum_rows((part(42, 36, percussion=True), part(38, percussion=True)))
    assert sounds == [36, 38, 42]
    assert [[note.pitch for note in each.notes] for each in parts] == [[2, 0], [1]]


def test_pitched_parts_stay():
    pitched = (part(60, 62, percussion=False),)
    assert with_drum_rows(pitched) == (pitched, [])
    assert with_drum_rows(()) == ((), [])
