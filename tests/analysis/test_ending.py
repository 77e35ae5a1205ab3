"""How well a piece closes."""

from fractions import Fraction

import pytest

from composer.analysis.ending import closes, closing_value
from composer.api import Key, Note, Part, Score

C_MAJOR = Key(Fraction(0), 0)


def note(onset, pitch, duration):
    return Note(Fraction(onset), pitch, Fraction(duration))


def ending(*chord):
    """Return a piece in C major that ends with a chord."""
    return Score((Part((note(0, 67, 1), *(note(1, pitch, 2) for pitch in chord))),), keys=(C_MAJOR,))


@pytest.mark.parametrize("chord", [(48, 55, 64, 72), (48, 60), (48, 63, 67), (60,)])
def test_a_chord_of_the_tonic_closes(chord):
    assert closing_value(ending(*chord)) == 1


def test_thin_endings_of_several_voices_are_worse():
    voices = tuple(note(beat, pitch, 1) for beat in range(4) for pitch in (48, 55, 64, 67))

    def close(*chord):
        return closing_value(Score((Part((*voices, *(note(4, pitch, 2) for pitch in chord))),), keys=(C_MAJOR,)))

    assert closes(Score((Part((*voices, note(4, 48, 2))),), keys=(C_MAJOR,)))
    assert not closes(Score((Part((*voices, note(4, 55, 2))),), keys=(C_MAJOR,)))
    assert 1 == close(48, 55, 64) == close(48, 60, 64, 67) > close(48, 60) > close(48) > 0


def test_other_endings_are_ranked():
    seventh, inversion, dominant = (closing_value(ending(*each)) for each in ((48, 58, 64), (52, 60, 67), (55, 59, 65)))
    assert 1 > seventh > inversion > dominant > 0
    assert closing_value(ending(48, 63, 64)) < 1, "both thirds clash"
    assert closing_value(ending(64)) == 0.5
    assert closing_value(ending(62)) == closing_value(Score(())) == 0
