"""Note density: ramps over a piece, and how many onsets they allow up to each step."""

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
    """A value that changes linearly from `first`, at the start of a piece, to `last`, at its end."""

    first: Fraction
    last: Fraction

    def value_at(self, position: Fraction) -> Fraction:
        """Return the value at a position from 0 to 1."""
        return self.first + (self.last - self.first) * position

    def mean_until(self, position: Fraction) -> Fraction:
        """Return the mean value from the start to a position."""
        return self.value_at(position / 2)

    @property
    def highest(self) -> Fraction:
        return max(self.first, self.last)

    def __str__(self) -> str:
        return f"{float(self.first):g}" + (f"..{float(self.last):g}" if self.first != self.last else "")


def parse_ramp(text: str, option: str) -> Ramp:
    """Parse `1..4`, or `2` for a constant. Raises OptionError, naming the `option`."""
    match = re.fullmatch(rf"{_NUMBER}(?:\.\.{_NUMBER})?", text)
    if match is None:
        raise OptionError(f"invalid value for {option}: '{text}'", f"use a number, or a ramp such as {option} 1..4")
    return Ramp(Fraction(match[1]), Fraction(match[2] or match[1]))


class OnsetBudget:
    """Bounds on the number of onsets up to each step of a piece with a given density.

    `density` is in notes per beat, over `length` steps, `per_beat` of them a beat. Up to any step, the number of onsets
    differs by at most `slack` from the integral of the density: by the notes of the densest beat, at least one. Steps
    that are `uncounted`, ascending ranges [first, last), contribute neither time nor onsets. `spare`, 0 or 1, onsets
    are reserved for the last step. The bounds can always be met: neither ever falls, the lower rises per step by at
    most the density, rounded up, and the upper always exceeds it.
    """

    def __init__(
        self, density: Ramp, per_beat: Fraction, length: int, uncounted: Sequence[tuple[int, int]] = (), spare: int = 0
    ) -> None:
        self.density, self.per_beat, self.length = density, Fraction(per_beat), length
        self.slack = max(density.highest, Fraction(1))
        self._uncounted = [(first, last, self._sum(last) - self._sum(first)) for first, last in uncounted]
        self._bounds: dict[int, tuple[int, int]] = {}
        self._before_last = floor(self.expected(length) + self.slack) - spare

    def expected(self, step: int) -> Fraction:
        """Return the integral of the density over the first `step` steps."""
        total = self._sum(step)
        for first, last, whole in self._uncounted:
            if first < step:
                total -= whole if last <= step else self._sum(step) - self._sum(first)
        return total

    def bounds(self, step: int) -> tuple[int, int]:
        """Return the minimum and maximum number of onsets in the first `step` steps."""
        bounds = self._bounds.get(step)
        if bounds is None:
            total = self.expected(step)
            maximum = floor(total + self.slack)
            maximum = min(maximum, self._before_last) if step < self.length else maximum
            bounds = self._bounds[step] = max(ceil(total - self.slack), 0), maximum
        return bounds

    def counts(self, step: int) -> bool:
        """Return whether onsets in this step count."""
        return not any(first <= step < last for first, last, _ in self._uncounted)

    def _sum(self, step: int) -> Fraction:
        within = min(step, self.length)
        total = self.density.mean_until(Fraction(within, self.length)) * within
        return (total + self.density.last * (step - within)) / self.per_beat
