"""Values that change over a piece, and the notes that a density leaves room for."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError
from composer.toolkit.representations.density import OnsetBudget, Ramp, parse_ramp


def test_a_curve_is_a_straight_line():
    curve = parse_ramp("1..4", "--density")
    assert [curve.value_at(Fraction(third, 3)) for third in range(4)] == [1, 2, 3, 4]
    assert parse_ramp(" 2.5 ", "--density").value_at(Fraction(1, 7)) == Fraction(5, 2)
    assert (str(curve), str(parse_ramp("0.5", "--density"))) == ("1..4", "0.5")


@pytest.mark.parametrize("text", ["", "fast", "1..", "1...2", "-1", "1e9", "nan", "1..2..3"])
def test_what_is_no_curve(text):
    with pytest.raises(OptionError, match="--density cannot be"):
        parse_ramp(text, "--density")


def test_what_is_due():
    budget = OnsetBudget(parse_ramp("1..3", "it"), Fraction(4), 16)
    assert [budget.expected(step) for step in (0, 8, 16)] == [0, 3, 8]
    assert budget.bounds(16) == (5, 11)
    part = OnsetBudget(parse_ramp("1..3", "it"), Fraction(4), 16, [(4, 8)])
    assert part.expected(4) == part.expected(6) == part.expected(8) == budget.expected(4)
    assert [part.counts(step) for step in (3, 4, 7, 8)] == [True, False, False, True]


densities = st.fractions(0, 8, max_denominator=50)


@given(densities, densities, st.sampled_from([1, 2, 4, 12, Fraction(1, 2)]), st.integers(1, 60), st.data())
def test_there_is_always_a_way_on(first, last, per_beat, length, data):
    start = data.draw(st.integers(0, length))
    stretch = (start, data.draw(st.integers(start, length)))
    budget = OnsetBudget(Ramp(first, last), per_beat, length, [stretch], spare=1)
    most_a_step = ceil(budget.density.highest / per_beat)
    begun = 0
    for step in range(1, length + 5):
        low, high = budget.bounds(step)
        fewest, most = max(low - begun, 0), high - begun
        assert 0 <= fewest <= min(most, most_a_step)
        if not budget.counts(step - 1):
            assert fewest == 0
            continue
        if step == length:
            assert most >= 1, "room for a last note"
        begun += data.draw(st.integers(fewest, max(fewest, min(most, most_a_step))))
        assert abs(begun - budget.expected(step)) <= budget.slack
