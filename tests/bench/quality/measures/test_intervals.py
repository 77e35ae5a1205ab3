"""Intervals from groups of pieces, and deviations over seeds."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality.measures.intervals import GROUPS, STUDENT, Group, half_width, parted, pooled


@given(st.lists(st.integers()), st.booleans())
def test_every_piece_is_in_one_group(items, contiguous):
    groups = parted(items, contiguous=contiguous)
    assert sorted(item for group in groups for item in group) == sorted(items)
    assert len(groups) == max(1, min(GROUPS, len(items)))
    sizes = [len(group) for group in groups]
    assert max(sizes) - min(sizes) <= 1


def test_neighbors_in_a_text_stay_together():
    assert parted("abcdefg", contiguous=True, groups=3) == [["a", "b"], ["c", "d"], ["e", "f", "g"]]


def test_pieces_keep_their_order_in_a_group():
    assert all(group == sorted(group) for group in parted(range(100), contiguous=False))


def test_groups_of_one_size_give_the_error_of_a_mean():
    values = [1.0, 2.0, 4.0, 3.0, 2.5]
    found = half_width(statistics.fmean(values), [Group(value, 7) for value in values])
    assert found == pytest.approx(STUDENT[3] * statistics.stdev(values) / math.sqrt(5))


def test_a_group_counts_by_its_steps():
    few = half_width(1.0, [Group(1.0, 99), Group(2.0, 1)])
    many = half_width(1.0, [Group(1.0, 50), Group(2.0, 50)])
    assert few < many


def test_one_group_has_no_interval():
    assert half_width(1.0, [Group(1.0, 5)]) is None


def test_coverage_of_the_interval():
    draw, held, times = random.Random(3), 0, 400
    for _ in range(times):
        pieces = [(draw.gauss(2.0, 0.5), draw.randint(20, 200)) for _ in range(100)]
        groups = []
        for group in parted(pieces, contiguous=False):
            steps = sum(length for _, length in group)
            groups.append(Group(sum(value * length for value, length in group) / steps, steps))
        steps = sum(group.steps for group in groups)
        whole = sum(group.value * group.steps for group in groups) / steps
        held += abs(whole - 2.0) <= half_width(whole, groups)
    assert 0.91 <= held / times <= 0.98


def test_one_seed_has_no_deviation():
    figure = pooled([1.5], [0.01], [[Group(1.0, 1), Group(2.0, 1)]])
    assert (figure.mean, figure.seeds, figure.deviation, figure.estimated) == (1.5, 1, None, 0.01)
    assert figure.ends == (pytest.approx(1.5 - figure.margin), pytest.approx(1.5 + figure.margin))


def test_seeds_are_averaged_group_by_group():
    figure = pooled([1.0, 2.0], [0.3, 0.4], [[Group(0.0, 1), Group(2.0, 1)], [Group(3.0, 1), Group(1.0, 1)]])
    assert figure.mean == 1.5
    assert figure.deviation == pytest.approx(statistics.stdev([1.0, 2.0]))
    assert figure.estimated == pytest.approx(0.25)
    assert figure.ends == (1.5, 1.5)  # both groups have the same mean


def test_without_groups_there_is_no_interval():
    assert pooled([1.0]).ends is None
