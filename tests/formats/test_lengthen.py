"""Notes that are lengthened when they are written."""

from fractions import Fraction

import pytest

from composer.api import Note, OptionError, Part, Score
from composer.formats import WriteSettings
from composer.formats.lengthen import lengthened, parse_factors

QUARTER = Fraction(1)


def score_of(*notes):
    return Score(parts=(Part(notes=tuple(Note(Fraction(onset), pitch, QUARTER) for onset, pitch in notes)),))


def durations(score):
    return [note.duration for note in score.parts[0].notes]


def test_each_note_is_longer_by_a_random_factor():
    score = score_of(*((10 * number, 60) for number in range(50)))
    found = durations(lengthened(score, (3, 5)))
    assert set(found) == {3, 4, 5}
    assert found == durations(lengthened(score, (3, 5)))
    assert [note.onset for note in lengthened(score, (3, 5)).parts[0].notes] == [10 * number for number in range(50)]


def test_a_note_ends_when_its_pitch_starts_again():
    assert durations(lengthened(score_of((0, 60), (2, 60), (1, 64)), (4, 4))) == [2, 4, 4]


def test_notes_that_overlap_already_are_not_shortened():
    assert durations(lengthened(score_of((0, 60), (Fraction(1, 2), 60)), (2, 2))) == [1, 2]


@pytest.mark.parametrize(("text", "factors"), [("3-5", (3, 5)), ("2", (2, 2))])
def test_factors(text, factors):
    assert parse_factors(text) == factors


@pytest.mark.parametrize("text", ["0", "5-3", "long", "1-2-3", "2.5", "101"])
def test_invalid_factors(text):
    with pytest.raises(OptionError, match=f"invalid value for --lengthen: '{text}'"):
        WriteSettings(lengthen=text)
