"""What may be asked of notes on a grid, whatever the representation."""

from fractions import Fraction

import pytest

from composer.api import Note, OptionError, Part, Piece, Score, Unsatisfiable
from composer.toolkit.representations.note_controls import (
    NoteControls,
    held_note_error,
    in_meter,
    kept_steps,
    ranges_of,
    total_steps,
)

SIXTEENTHS = Fraction(4)


@pytest.mark.parametrize(
    "wrong",
    [{"bars": -1}, {"bars": 2000}, {"meter": "none"}, {"density": "0"}, {"density": "fast"}, {"range": "9-4"},
     {"keep_bars": "9-4"}, {"key": "H"}, {"scale": "D x"}],
)  # fmt: skip
def test_wishes_that_mean_nothing(wrong):
    with pytest.raises(OptionError) as caught:
        NoteControls(**wrong)
    assert caught.value.hint


def test_pitches_are_those_of_the_range_that_are_in_the_scale():
    assert NoteControls().pitches([62, 61, 60]) == (60, 61, 62)
    assert NoteControls(range="C4-E4").pitches(range(48, 85)) == (60, 61, 62, 63, 64)
    assert NoteControls(range="C4-E4", key="C").pitches(range(48, 85)) == (60, 62, 64)
    with pytest.raises(Unsatisfiable, match="--range 61-61"):
        NoteControls(range="61-61", key="C").pitches(range(48, 85))


def test_bars_settle_how_many_steps_there_are():
    assert total_steps(NoteControls(), None, {}, SIXTEENTHS) is None
    assert total_steps(NoteControls(bars=3), None, {}, SIXTEENTHS) == 48
    assert total_steps(NoteControls(bars=3, meter="6/8"), None, {}, SIXTEENTHS) == 36
    with pytest.raises(Unsatisfiable, match="--bars 3 and --meter 6/8 clash"):
        total_steps(NoteControls(bars=3, meter="6/8"), None, {}, SIXTEENTHS, together=8)


def test_an_opening_says_what_a_bar_is_and_how_long_the_pickup():
    opening = {"meter": "3/4", "pickup": "1/2"}
    assert total_steps(NoteControls(bars=2), None, opening, SIXTEENTHS) == 2 + 24
    assert total_steps(NoteControls(bars=2, meter="4/4"), None, opening, SIXTEENTHS) == 2 + 32


def test_a_tune_of_which_bars_stay_is_as_long_as_it_was():
    assert total_steps(NoteControls(keep_bars="1"), 40, {}, SIXTEENTHS) == 40
    with pytest.raises(Unsatisfiable, match="--keep-bars 1 and --bars 4 clash: a tune of which bars stay"):
        total_steps(NoteControls(keep_bars="1", bars=4), 40, {}, SIXTEENTHS)


def test_the_wish_that_says_how_long_a_piece_is():
    assert NoteControls(bars=4).length_control == "--bars 4"
    assert NoteControls(keep_bars="2-3").length_control == "--keep-bars 2-3"


def test_a_tune_is_in_its_own_meter_or_in_the_one_that_is_wished():
    assert in_meter(Piece(()), NoteControls(meter="6/8", keep_bars="1")).labels == {"meter": "6/8"}
    assert in_meter(Piece((), labels={"meter": "2/4"}), NoteControls(keep_bars="1")).labels == {"meter": "2/4"}
    with pytest.raises(Unsatisfiable, match="--keep-bars 1 and --meter 6/8 clash: the tune is in 2/4"):
        in_meter(Piece((), labels={"meter": "2/4"}), NoteControls(meter="6/8", keep_bars="1"))


def test_the_steps_of_the_bars_that_stay():
    score = Score((Part((Note(Fraction(0), 60, Fraction(16)),)),))
    steps = kept_steps("1,3-4", score, Fraction(1))
    assert steps == [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]
    assert ranges_of(steps) == [(0, 4), (8, 16)]


@pytest.mark.parametrize(
    ("wished", "words"),
    [
        ({"range": "70-76", "key": "C"}, "--range 70-76"),
        ({"range": "60-76", "key": "C"}, "--key C"),
        ({"scale": "D blues"}, "--scale D blues"),
    ],
)
def test_a_note_that_is_held_over_names_the_wish_in_its_way(wished, words):
    error = held_note_error(61, NoteControls(keep_bars="3", **wished))
    assert error.message == f"--keep-bars 3 and {words} clash: C#4 is held into the bars that stay"
