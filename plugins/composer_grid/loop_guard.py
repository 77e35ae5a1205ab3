"""Melodies that do not loop: no passage occurs too often in a row."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from composer.api import Constraint, Mask
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint
from composer_grid.base_constraint import FIRST

LOOPLESS_RULES = 2
"""The first version of the representation's rules that keeps loops out."""
REPEAT_LIMIT = 2
MAX_CYCLE = 8
"""Bars in the longest passage that is watched; longer sections that come again are form."""

_STEP, _PITCH, _HASH, _RUN = 20, 8, 24, 16
"""Bits of the parts of a state: a long bar in short steps has thousands, and 1000 passages of MAX_CYCLE bars too."""
_BAR = _STEP + _PITCH + _HASH
_NOW = _STEP + _BAR
_ALL = _NOW + MAX_CYCLE * (_BAR + _RUN)


def without_loops(inner: Constraint, plan: BarPlan, per_beat: Fraction, limit: int | None) -> Constraint:
    """Return the melodies of `inner` without loops, in the bars of `plan`.

    If these are not on the grid, or too long to count their steps, return `inner`.
    """
    bar, pickup = plan.in_steps(per_beat)
    if bar.denominator > 1 or pickup.denominator > 1 or bar >= 1 << _STEP:
        return inner
    return LoopGuard(inner, int(bar), int(pickup), REPEAT_LIMIT if limit is None else limit)


class LoopGuard(WrappedConstraint):
    """The melodies of `inner`, sampled without a passage of 1 to MAX_CYCLE bars more than `limit` times in a row.

    Bars have `bar` steps, after a pickup of `pickup` steps. A bar is its onsets: rests and lengths do not count, and a
    bar without an onset is no passage. The first onset of a bar that would begin such a repetition is not sampled if
    another one can be. Primers and kept bars are exempt.

    The own part of a state is the runs, the number of bars in a row that equal the one each number of bars before;
    above the bars before, the latest first; above this bar and the step in it. A bar is a hash of its onsets, and the
    pitch and step of the first.
    """

    own_bits = _ALL

    def __init__(self, inner: Constraint, bar: int, pickup: int, limit: int) -> None:
        super().__init__(inner)
        self.limit = limit
        self._bar, self._begin = bar, -pickup % bar

    def start(self, primer: Sequence[int]) -> int:
        own = self._begin
        for step in primer:
            own = self._step(own, step)
        return self.inner.start(primer) << self.own_bits | own

    def step(self, state: int, step: int) -> int:
        inner, own = self.parts(state)
        return self.inner.step(inner, step) << self.own_bits | self._step(own, step)

    def allowed(self, state: int) -> Mask:
        mask = super().allowed(state)
        assert isinstance(mask, int)
        if not mask & mask - 1:
            return mask
        return mask & ~self._repeating(state) or mask

    def _step(self, own: int, step: int) -> int:
        at, bar = own & (1 << _STEP) - 1, own >> _STEP & (1 << _BAR) - 1
        if step >= FIRST:
            hashed = ((bar >> _STEP + _PITCH) * 1_000_003 + (at << _PITCH | step) + 1) & (1 << _HASH) - 1
            first = bar & (1 << _STEP + _PITCH) - 1 or at << _PITCH | step
            bar = hashed << _STEP + _PITCH | first
        past = own >> _NOW
        if at + 1 < self._bar:
            return past << _NOW | bar << _STEP | at + 1
        bars, runs = _unpack(past)
        runs = [min(run + 1, (1 << _RUN) - 1) if bar == other else 0 for other, run in zip(bars, runs, strict=True)]
        return _pack([bar, *bars[:-1]], runs) << _NOW

    def _repeating(self, state: int) -> Mask:
        """Return the pitches with which the current bar would begin to repeat a passage once too often."""
        at, bar = state & (1 << _STEP) - 1, state >> _STEP & (1 << _BAR) - 1
        if bar:  # it has begun with another onset
            return 0
        mask = 0
        for cycle, (before, run) in enumerate(zip(*_unpack(state >> _NOW), strict=True), 1):
            first = before & (1 << _STEP + _PITCH) - 1
            if before and run >= self.limit * cycle - 1 and first >> _PITCH == at:
                mask |= 1 << (first & (1 << _PITCH) - 1)
        return mask


def _pack(bars: Sequence[int], runs: Sequence[int]) -> int:
    packed = 0
    for run in reversed(runs):
        packed = packed << _RUN | run
    for bar in reversed(bars):
        packed = packed << _BAR | bar
    return packed


def _unpack(past: int) -> tuple[list[int], list[int]]:
    """Return the last bars and the run of each number of bars."""
    bars = [past >> _BAR * number & (1 << _BAR) - 1 for number in range(MAX_CYCLE)]
    past >>= _BAR * MAX_CYCLE
    return bars, [past >> _RUN * number & (1 << _RUN) - 1 for number in range(MAX_CYCLE)]
