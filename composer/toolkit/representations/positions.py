"""What a model is told about each step: its place in the bar and the piece, the next phrase end, and the key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, lcm

from composer.api import Constraint
from composer.api.sequence import AnyStep
from composer.music.keys import has_minor_third, parse_key, pitch_class
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint

__all__ = ["MAX_TOLD_BARS", "MAX_TOLD_BEATS", "CountingConstraint", "PositionCounter", "feature_sizes"]

MAX_TOLD_BARS = 64
"""Later bars, and bars longer before the end, are not told apart."""
MAX_TOLD_BEATS = 16
"""Beats up to a phrase end, if it is farther, are not told apart."""
_NO_END_LEFT = MAX_TOLD_BEATS + 2


def feature_sizes(plans: Mapping[str, int], per_beat: Fraction) -> dict[str, int]:
    """Return the number of values of each position feature for pieces with these plans."""
    parsed = [BarPlan.parse(plan) for plan in plans]
    bars = min(MAX_TOLD_BARS, max((plan.bars or 0 for plan in parsed), default=0))
    position = max((ceil(plan.in_steps(per_beat)[0]) for plan in parsed), default=1)
    phrase_end = {"fermata": _NO_END_LEFT + 1} if any(plan.phrase_ends for plan in parsed) else {}
    key = {"key": 25} if any(plan.key for plan in parsed) else {}
    return {"position": position, "bar": bars + 2, "left": bars + 1, **phrase_end, **key}


class PositionCounter:
    """Count the features of steps under one plan; `sizes` are those of `feature_sizes`.

    `position` is the step in the bar; in a pickup it counts to the end of the bar. `bar` is 0 in a pickup, then counts
    from 1; `left` is the number of bars after this one, 0 if unknown. `fermata`, its name in checkpoints, is for the
    ends of phrases, if some plan has any: 0 if they are unknown, else one more than the beats before the next, rounded
    up, or a value of its own after the last. `key`, if some plan has one, is 0 if it is unknown, else one more than the
    pitch class of its tonic, plus 12 if that has a minor third.
    """

    def __init__(self, plan: BarPlan, per_beat: Fraction, sizes: Mapping[str, int]) -> None:
        self._bars, self._sizes, self._key = plan.bars or 0, dict(sizes), _key_number(plan.key)
        # whole numbers of a unit that divides all lengths: a split has millions of steps, and fractions are slow
        bar, pickup = plan.in_steps(per_beat)
        ends = [beat * per_beat for beat in plan.phrase_ends]
        self._unit = lcm(*(length.denominator for length in (bar, pickup, per_beat, *ends)))
        self._bar, self._pickup, self._beat, *self._phrase_ends = (
            int(length * self._unit) for length in (bar, pickup, per_beat, *ends)
        )
        self.at = lru_cache(1 << 12)(self._at)

    @staticmethod
    def of(plan: BarPlan, per_beat: Fraction, sizes: Mapping[str, int]) -> PositionCounter:
        """Return the counter of a plan; pieces in the same plan, such as transpositions, share one."""
        return _counter(plan, per_beat, tuple(sizes.items()))

    def _at(self, step: int) -> tuple[int, ...]:
        now = step * self._unit
        bars, in_bar = divmod(now - self._pickup, self._bar)
        counted = {
            "position": in_bar // self._unit, "bar": bars + 1, "left": max(0, self._bars - bars - 1),
            "fermata": self._beats_to_phrase_end(now), "key": self._key,
        }  # fmt: skip
        return tuple(min(counted[name], size - 1) for name, size in self._sizes.items())

    def _beats_to_phrase_end(self, now: int) -> int:
        following = bisect_left(self._phrase_ends, now)
        if not self._phrase_ends or following == len(self._phrase_ends):
            return _NO_END_LEFT if self._phrase_ends else 0
        return min(-((now - self._phrase_ends[following]) // self._beat), MAX_TOLD_BEATS) + 1  # rounded up


def _key_number(name: str) -> int:
    key = parse_key(name) if name else None
    return 1 + pitch_class(key.tonic) + 12 * has_minor_third(key.mode) if key is not None else 0


@lru_cache(64)
def _counter(plan: BarPlan, per_beat: Fraction, sizes: tuple[tuple[str, int], ...]) -> PositionCounter:
    return PositionCounter(plan, per_beat, dict(sizes))


class CountingConstraint(WrappedConstraint):
    """Pieces that `inner` accepts, with the features of each step. The own part of a state is the number of steps."""

    own_bits = 32

    def __init__(self, inner: Constraint, counter: PositionCounter) -> None:
        super().__init__(inner)
        self.counter = counter

    def start(self, primer: Sequence[AnyStep]) -> int:
        return self.inner.start(primer) << self.own_bits | len(primer)

    def step(self, state: int, step: AnyStep) -> int:
        inner, steps = self.parts(state)
        return self.inner.step(inner, step) << self.own_bits | steps + 1

    def features(self, state: int) -> tuple[int, ...]:
        return self.counter.at(self.parts(state)[1])
