"""Where each step of a piece is: in its bar, in which bar, and how many bars before the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from composer.api import Constraint, FrameRule, Mask
from composer.api.sequence import AnyStep
from composer.toolkit.representations.bar_plan import BarPlan

__all__ = ["MAX_TOLD_BARS", "CountingConstraint", "PositionCounter", "feature_sizes"]

MAX_TOLD_BARS = 64
"""Later bars, and bars longer before the end, are not told apart."""
_TIME_BITS = 32


def feature_sizes(plans: Mapping[str, int], per_beat: Fraction) -> dict[str, int]:
    """Return the number of values of each position feature for pieces with these plans."""
    parsed = [BarPlan.parse(plan) for plan in plans]
    bars = min(MAX_TOLD_BARS, max((plan.bars or 0 for plan in parsed), default=0))
    position = max((ceil(plan.in_steps(per_beat)[0]) for plan in parsed), default=1)
    return {"position": position, "bar": bars + 2, "left": bars + 1}


class PositionCounter:
    """Count the features of steps under one plan; `sizes` are those of `feature_sizes`.

    `position` is the step in the bar; in a pickup it counts to the end of the bar. `bar` is 0 in a pickup, then counts
    from 1; `left` is the number of bars after this one, 0 if unknown.
    """

    def __init__(self, plan: BarPlan, per_beat: Fraction, sizes: Mapping[str, int]) -> None:
        self._plan, self._sizes = plan, list(sizes.values())
        self._bar, self._pickup = plan.in_steps(per_beat)
        self.at = lru_cache(1 << 12)(self._at)

    def _at(self, step: int) -> tuple[int, ...]:
        bar = floor((step - self._pickup) / self._bar) + 1
        position = floor(step - self._pickup - (bar - 1) * self._bar)
        left = max(0, (self._plan.bars or 0) - bar)
        counted = (position, bar, left)
        return tuple(min(value, size - 1) for value, size in zip(counted, self._sizes, strict=True))


class CountingConstraint(Constraint):
    """Pieces that `inner` accepts, with the features of each step.

    A state is one of `inner` above the number of steps so far.
    """

    def __init__(self, inner: Constraint, counter: PositionCounter) -> None:
        self.inner, self.counter = inner, counter

    def start(self, primer: Sequence[AnyStep]) -> int:
        return self.inner.start(primer) << _TIME_BITS | len(primer)

    def step(self, state: int, step: AnyStep) -> int:
        inner, steps = self.parts(state)
        return self.inner.step(inner, step) << _TIME_BITS | steps + 1

    def allowed(self, state: int) -> Mask | FrameRule:
        return self.inner.allowed(self.parts(state)[0])

    def features(self, state: int) -> tuple[int, ...]:
        return self.counter.at(self.parts(state)[1])

    def ends(self, state: int) -> bool:
        return self.inner.ends(self.parts(state)[0])

    def fixed_step(self, state: int) -> int | None:
        return self.inner.fixed_step(self.parts(state)[0])

    def complete(self, state: int) -> Sequence[AnyStep]:
        return self.inner.complete(self.parts(state)[0])

    @staticmethod
    def parts(state: int) -> tuple[int, int]:
        """Return the state of `inner`, and the number of steps so far."""
        return state >> _TIME_BITS, state & (1 << _TIME_BITS) - 1
