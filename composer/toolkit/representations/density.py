"""Values that change over a piece, and what a density allows at each step of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from composer.api import OptionError

__all__ = ["OnsetBudget", "Ramp", "parse_ramp"]

_NUMBER = r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*"


@dataclass(frozen=True, slots=True)
class Ramp:
    """A value that goes in a straight line from `first`, at the beginning of a piece, to `last`, at its end."""

    first: Fraction
    last: Fraction

    def value_at(self, share: Fraction) -> Fraction:
        """The value when `share` of the piece, from 0 to 1, is over."""
        return self.first + (self.last - self.first) * share

    def mean_until(self, share: Fraction) -> Fraction:
        """The mean value from the beginning to there."""
        return self.value_at(share / 2)

    @property
    def highest(self) -> Fraction:
        """The highest value it has."""
        return max(self.first, self.last)

    def __str__(self) -> str:
        return f"{float(self.first):g}" + (f"..{float(self.last):g}" if self.first != self.last else "")


def parse_ramp(text: str, what: str) -> Ramp:
    """The curve that `1..4`, or `2` for one that is level, names. Raises OptionError, which says `what` it is of."""
    ends = re.fullmatch(rf"{_NUMBER}(?:\.\.{_NUMBER})?", text)
    if ends is None:
        raise OptionError(f"{what} cannot be `{text}`", "give a number, or two for beginning and end, as in 1..4")
    return Ramp(Fraction(ends[1]), Fraction(ends[2] or ends[1]))


class OnsetBudget:
    """How many notes a piece of a given density may have begun after each of its steps.

    `density` is in notes a beat, over `length` steps of which `per_beat` are a beat. After any step, the notes begun
    until then differ by at most `slack` from what the curve sums up to: the notes of a beat where it is densest, and at
    least one. Of steps that are `uncounted` ([first, last) each, ascending), neither time nor notes count. For the last
    step, room is left for `spare` notes, none or one. Whoever keeps within the bounds always can: both ends never fall,
    the lower rises by no more a step than the density itself, rounded up, and the upper is always above it.
    """

    def __init__(
        self,
        density: Ramp,
        per_beat: Fraction,
        length: int,
        uncounted: Sequence[tuple[int, int]] = (),
        spare: int = 0,
    ) -> None:
        self.density, self.per_beat, self.length = density, Fraction(per_beat), length
        self.slack = max(density.highest, Fraction(1))
        self._uncounted = [(first, last, self._sum(last) - self._sum(first)) for first, last in uncounted]
        self._bounds: dict[int, tuple[int, int]] = {}
        self._before_last = floor(self.expected(length) + self.slack) - spare

    def expected(self, step: int) -> Fraction:
        """What the curve sums up to in the first `step` steps."""
        due = self._sum(step)
        for first, last, whole in self._uncounted:
            if first < step:
                due -= whole if last <= step else self._sum(step) - self._sum(first)
        return due

    def bounds(self, step: int) -> tuple[int, int]:
        """The fewest and the most notes that may have begun in the first `step` steps."""
        found = self._bounds.get(step)
        if found is None:
            due = self.expected(step)
            most = floor(due + self.slack)
            found = max(ceil(due - self.slack), 0), min(most, self._before_last) if step < self.length else most
            self._bounds[step] = found
        return found

    def counts(self, step: int) -> bool:
        """Whether the notes of a step count."""
        return not any(first <= step < last for first, last, _ in self._uncounted)

    def _sum(self, step: int) -> Fraction:
        within = min(step, self.length)
        total = self.density.mean_until(Fraction(within, self.length)) * within
        return (total + self.density.last * (step - within)) / self.per_beat
