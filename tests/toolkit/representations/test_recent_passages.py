"""Passages of a piece that come again, compared with a plain search."""

from hypothesis import given
from hypothesis import strategies as st

from composer.toolkit.representations.recent_passages import RecentPassages


def excessive(units, limit, max_cycle=4):
    recent, state = RecentPassages(8, max_cycle, limit), 0
    for unit in units:
        state = recent.push(state, unit)
    assert state < 1 << recent.bits
    return set(recent.excessive(state))


def searched(units, limit, max_cycle=4):
    """The units that would make the last part of `units` a passage `limit` + 1 times in a row."""
    found, units = set(), [0] * max_cycle * (limit + 1) + units
    for cycle in range(1, max_cycle + 1):
        last = [*units, units[-cycle]][-cycle * (limit + 1) :]
        if last == last[:cycle] * (limit + 1):
            found.add(units[-cycle])
    return found - {0}


@given(st.lists(st.integers(0, 3), max_size=24), st.integers(1, 3))
def test_what_would_be_once_too_often(units, limit):
    assert excessive(units, limit) == searched(units, limit)


def test_examples():
    assert excessive([1, 1], 2) == {1}
    assert excessive([1, 2, 1, 2, 1], 2) == {2}
    assert excessive([1, 2, 3, 1, 2], 1) == {2, 3}, "another 2 would be the second in a row"
    assert excessive([0, 0, 0], 2) == set(), "silence is no passage"
