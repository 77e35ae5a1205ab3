"""Bars of a score."""

from fractions import Fraction

import pytest

from composer.api import Meter, Note, Part, Score
from composer.formats.abc.reader.score import read_score
from composer.music.bars import bars, count_bars, moved_bar_lines, notated_end


def score(beats, *meters, pickup=0):
    note = Note(Fraction(0), 60, Fraction(beats))
    return Score(
        (Part((note,)),), meters=tuple(Meter(Fraction(at), n, d) for at, n, d in meters), pickup=Fraction(pickup)
    )


def lines(score):
    return [(bar.number, float(bar.start)) for bar in bars(score)]


def test_common_time_is_the_default():
    assert lines(score(9)) == [(1, 0), (2, 4), (3, 8)]


@pytest.mark.parametrize(
    ("music", "moved"),
    [
        ("CDEF|CDEF|C4|", 0), ("CDEF|CDE|CDEFG|C4|", 1), ("|:F|CDEF|CDE:|F|CDEF|CDE|]", 0), ("CDE|CDE|CDE|CDE|", 2),
        ("CDEF|[M:3/4]CDE|CDE|", 0), ("M:none\nCDE|CDE|", 0),
    ],
)  # fmt: skip
def test_bar_lines_that_are_not_those_of_the_file(music, moved):
    assert moved_bar_lines(read_score(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n")) == moved


def test_a_pickup_is_bar_zero():
    assert lines(score(7, (0, 6, 8), pickup=Fraction(1, 2))) == [(0, 0), (1, 0.5), (2, 3.5), (3, 6.5)]


def test_a_meter_change_inside_a_bar_cuts_it_short():
    assert lines(score(9, (0, 4, 4), (6, 3, 4))) == [(1, 0), (2, 4), (3, 6)]


@pytest.mark.parametrize(("change", "own"), [(6, (2, 4)), ("13/2", (5, 8)), ("19/3", (7, 12)), (8, (4, 4))])
def test_a_bar_that_is_cut_short_has_its_own_meter(change, own):
    meters = [
        (bar.own_meter.numerator, bar.own_meter.denominator) for bar in bars(score(12, (0, 4, 4), (change, 3, 4)))
    ]
    assert meters[:3] == [(4, 4), own, (3, 4)]


@pytest.mark.parametrize(("meter", "pulse"), [((4, 4), 1), ((2, 2), 2), ((6, 8), Fraction(3, 2)), ((3, 4), 1)])
def test_the_pulse_is_a_dotted_note_in_compound_meters(meter, pulse):
    score = Score((Part((Note(Fraction(0), 60, Fraction(1)),)),), meters=(Meter(Fraction(0), *meter),))
    assert next(bars(score)).pulse == pulse


def test_a_pickup_has_the_meter_of_the_next_bar():
    assert {bar.own_meter.numerator for bar in bars(score(7, (0, 6, 8), pickup=1))} == {6}


def test_silence_has_no_bars():
    assert list(bars(Score(()))) == []


@pytest.mark.parametrize(
    ("music", "count", "end"),
    [
        ("CDEF|C4|z4|z4|", 4, 16), ("CDEF|C2z2|", 2, 6), ("|:CDEF|z4:|", 4, 16), ("D|CDEF|C4|z3|", 3, 12),
        ("CDEF|C4|z2|", 3, 10), ("CDEF|C4|[M:3/4]z3|", 3, 11), ('CDEF|C4|"G"z4|', 3, 12),
    ],
)  # fmt: skip
def test_silent_bars_at_the_end(music, count, end):
    score = read_score(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n")
    assert notated_end(score) == end
    assert count_bars(score, as_notated=True) == count
    assert [bar.number for bar in bars(score, as_notated=True)][-1] == count


def test_count_is_the_number_of_the_last_bar():
    changing = score(30, (0, 6, 8), (7, 4, 4), (7, 3, 4), (8, 2, 4), pickup=Fraction(1, 2))
    for each in (
        changing,
        score(9),
        score(0),
        score(3, (0, 4, 4), pickup=1),
        score(7, (9, 3, 4)),
        score(9, (10, 3, 4)),
    ):
        assert count_bars(each) == max((bar.number for bar in bars(each)), default=0)
