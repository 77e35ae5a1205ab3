"""Confidence intervals of figures from groups of test pieces, and deviations over seeds.

The test pieces are divided into ten groups, each measured alone. With w_g the share of all steps in group g, x_g its
figure and v the figure of all, the variance of v is estimated as n / (n - 1) * sum w_g^2 (x_g - v)^2, that of a ratio
of sums over n sampled groups (Cochran, Sampling Techniques, 1977, chapter 6). The interval is from Student's t with
n - 1 degrees of freedom.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

GROUPS = 10
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 97.5 % point of Student's t with 1, 2, ... degrees of freedom."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Figure:
    """A figure over `seeds` trainings: mean, standard deviation, and the ends of the 95 % interval over test pieces.

    None if there are too few. `estimated` is the standard error of an estimate such as AIS, 0 for exact figures.
    """

    mean: float
    seeds: int
    deviation: float | None
    ends: tuple[float, float] | None
    estimated: float

    @property
    def margin(self) -> float:
        """How far other pieces and other seeds may change the figure, as far as known."""
        half = (self.ends[1] - self.ends[0]) / 2 if self.ends else 0.0
        return half + (self.deviation or 0.0) / math.sqrt(self.seeds)


@dataclass(frozen=True)
class Group:
    """A group of test pieces: its figure and number of steps."""

    value: float
    steps: int


def parted(items: Sequence[Item], *, contiguous: bool, groups: int = GROUPS) -> list[list[Item]]:
    """Divide items into groups of equal size: of neighbors, or after a fixed shuffle."""
    count = max(1, min(groups, len(items)))
    if contiguous:
        ends = [len(items) * number // count for number in range(count + 1)]
        return [list(items[begin:end]) for begin, end in pairwise(ends)]
    order = list(range(len(items)))
    random.Random(1).shuffle(order)
    return [[items[place] for place in sorted(order[number::count])] for number in range(count)]


def half_width(whole: float, groups: Sequence[Group]) -> float | None:
    """Return half the 95 % interval over test pieces of the figure `whole`; None for fewer than two groups."""
    count = len(groups)
    if count < 2:
        return None
    steps = sum(group.steps for group in groups)
    spread = sum((group.steps / steps * (group.value - whole)) ** 2 for group in groups)
    return STUDENT[min(count - 1, len(STUDENT)) - 1] * math.sqrt(count / (count - 1) * spread)


def pooled(
    values: Sequence[float], errors: Sequence[float] | None = None, groups: Sequence[Sequence[Group]] = ()
) -> Figure:
    """Return the figure of several seeds: `values`, standard `errors` of their estimates, and the `groups` of each.

    The interval is of the mean over seeds, from the means of each group.
    """
    count = len(values)
    deviation = statistics.stdev(values) if count > 1 else None
    mean = statistics.fmean(values)
    ends = None
    if groups and all(len(each) == len(groups[0]) for each in groups):
        together = [
            Group(statistics.fmean(group.value for group in same), same[0].steps) for same in zip(*groups, strict=True)
        ]
        half = half_width(mean, together)
        ends = None if half is None else (mean - half, mean + half)
    estimated = math.sqrt(sum(error**2 for error in errors or ())) / count
    return Figure(mean, count, deviation, ends, estimated)
