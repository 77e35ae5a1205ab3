"""Melodies that do not loop: no passage occurs too often in a row."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Constraint, Mask
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.recent_passages import RecentPassages
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint
from composer_grid.base_constraint import FIRST

LOOPLESS_RULES = 2
"""The first version of the representation's rules that keeps loops out."""
REPEAT_LIMIT = 2
MAX_CYCLE = 8
"""Bars in the longest passage that is watched; longer sections that come again are form."""

_STEP, _PITCH, _HASH = 20, 8, 24
"""Bits of the parts of a state: a long bar in short steps has thousands."""
_BAR = _STEP + _PITCH + _HASH
_NOW = _STEP + _BAR


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

    The own part of a state is the RecentPassages of bars, above this bar and the step in it. A bar is a hash of its
    onsets, and the pitch and step of the first.
    """

    def __init__(self, inner: Constraint, bar: int, pickup: int, limit: int) -> None:
        super().__init__(inner)
        self.limit, self._recent = limit, RecentPassages(_BAR, MAX_CYCLE, limit)
        self.own_bits = _NOW + self._recent.bits
        self._bar, self.own_start = bar, -pickup % bar

    def allowed(self, state: int) -> Mask:
        mask = super().allowed(state)
        assert isinstance(mask, int)
        if not mask & mask - 1:
            return mask
        return mask & ~self._repeating(state) or mask

    def own_step(self, own: int, step: int) -> int:
        at, bar = own & (1 << _STEP) - 1, own >> _STEP & (1 << _BAR) - 1
        if step >= FIRST:
            hashed = ((bar >> _STEP + _PITCH) * 1_000_003 + (at << _PITCH | step) + 1) & (1 << _HASH) - 1
            first = bar & (1 << _STEP + _PITCH) - 1 or at << _PITCH | step
            bar = hashed << _STEP + _PITCH | first
        past = own >> _NOW
        if at + 1 < self._bar:
            return past << _NOW | bar << _STEP | at + 1
        return self._recent.push(past, bar) << _NOW

    def _repeating(self, state: int) -> Mask:
        """Return the pitches with which the current bar would begin to repeat a passage once too often."""
        at, bar = state & (1 << _STEP) - 1, state >> _STEP & (1 << _BAR) - 1
        if bar:  # it has begun with another onset
            return 0
        mask = 0
        for before in self._recent.excessive(state >> _NOW):
            first = before & (1 << _STEP + _PITCH) - 1
            if first >> _PITCH == at:
                mask |= 1 << (first & (1 << _PITCH) - 1)
        return mask
