"""Ramps, and the onsets that a density allows."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError
from composer.toolkit.representations.density import OnsetBudget, Ramp, parse_ramp


def test_ramp_is_linear():
    ramp = parse_ramp("1..4", "--density")
    assert [ramp.value_at(Fraction(third, 3)) for third in range(4)] == [1, 2, 3, 4]
    assert parse_ramp(" 2.5 ", "--density").value_at(Fraction(1, 7)) == Fraction(5, 2)
    assert (str(ramp), str(parse_ramp("0.5", "--density"))) == ("1..4", "0.5")


@pytest.mark.parametrize("text", ["", "fast", "1..", "1...2", "-1", "1e9", "nan", "1..2..3"])
def test_invalid_ramps(text):
    with pytest.raises(OptionError, match="invalid value for --density"):
        parse_ramp(text, "--density")


def test_expected_onsets():
    budget = OnsetBudget(parse_ramp("1..3", "--density"), Fraction(4), 16)
    assert [budget.expected(step) for step in (0, 8, 16)] == [0, 3, 8]
    assert budget.bounds(16) == (5, 11)
    part = OnsetBudget(parse_ramp("1..3", "--density"), Fraction(4), 16, [(4, 8)])
    assert part.expected(4) == part.expected(6) == part.expected(8) == budget.expected(4)
    assert [part.counts(step) for step in (3, 4, 7, 8)] == [True, False, False, True]


densities = st.fractions(0, 8, max_denominator=50)


@given(densities, densities, st.sampled_from([1, 2, 4, 12, Fraction(1, 2)]), st.integers(1, 60), st.data())
def test_bounds_can_always_be_met(first, last, per_beat, length, data):
    start = data.draw(st.integers(0, length))
    uncounted = (start, data.draw(st.integers(start, length)))
    budget = OnsetBudget(Ramp(first, last), per_beat, length, [uncounted], spare=1)
    max_per_step = ceil(budget.density.highest / per_beat)
    onsets = 0
    for step in range(1, length + 5):
        low, high = budget.bounds(step)
        minimum, maximum = max(low - onsets, 0), high - onsets
        assert 0 <= minimum <= min(maximum, max_per_step)
        if not budget.counts(step - 1):
            assert minimum == 0
            continue
        if step == length:
            assert maximum >= 1, "a last note must be possible"
        onsets += data.draw(st.integers(minimum, max(minimum, min(maximum, max_per_step))))
        assert abs(onsets - budget.expected(step)) <= budget.slack
