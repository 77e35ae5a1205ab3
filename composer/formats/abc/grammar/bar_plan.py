"""How many bars a tune has, and where each of them ends.

A bar's `left` is how many may still begin after it. A pickup is no bar of its own: with the short bar at the end of a
part, it makes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from composer.formats.abc.grammar.bar_space import BarEnds, BarSpace

__all__ = ["FIRST_BAR", "BarPlan", "CountedBars", "FixedBar", "FixedBars", "Hornpipe"]

Hornpipe = Literal["", "chords", "broken rhythm"]

FIRST_BAR = -1
"""Where parts begin in the bar while the first bar, which may be a pickup, is not over."""


class BarPlan:
    """Any number of bars; then `left` is always None."""

    first: int | None = None
    """What is left of a tune when its first bar begins, as if that were a pickup."""

    hornpipe: Hornpipe = ""
    """Which of the two it is known to have, if it is a hornpipe, in which there are never both."""

    def is_satisfiable(self, space: BarSpace) -> bool:
        """Whether there is any such tune."""
        return space.is_satisfiable(self.first)

    def ends(self, space: BarSpace, start: int, repeat: bool, ending: int, left: int | None) -> BarEnds:
        """Where a bar may end, in parts that begin at `start`."""
        return space.first(repeat, left) if start == FIRST_BAR else space.ends(start, left)[repeat, ending]

    def after_first_bar(self, left: int | None, full: bool) -> int | None:
        """What is left when the first bar is over, which was full or a pickup."""
        return left

    def after_bar(self, left: int | None, full: bool) -> int | None:
        """What is left when the next bar begins, at the beginning of a full bar or with a pickup."""
        return left

    def may_end(self, left: int | None, start: int) -> bool:
        """Whether the tune may end where another part might begin."""
        return True

    def may_continue(self, left: int | None, start: int) -> bool:
        """Whether another part may begin where one might."""
        return True

    def may_start_first_ending(self, left: int | None) -> bool:
        """Whether a first ending may begin with this bar."""
        return True

    def tied_tones(self, left: int | None) -> int | None:
        """The tones that must follow after a tie over the next bar line; None for any, 0 where no tie may go on."""
        return None


class CountedBars(BarPlan):
    """So many bars."""

    def __init__(self, count: int) -> None:
        self.first: int = count

    def after_first_bar(self, left: int | None, full: bool) -> int | None:
        return None if left is None else left - full

    def after_bar(self, left: int | None, full: bool) -> int | None:
        return None if left is None else left - full

    def may_end(self, left: int | None, start: int) -> bool:
        return left == (0 if start else -1)

    def may_continue(self, left: int | None, start: int) -> bool:
        return not self.may_end(left, start)


class FixedBar(NamedTuple):
    """The bar of a given tune ends at `position` with `mark`. `starts_first_ending`: a first ending begins with it.

    `tones` is what its first sound must be where the bar before is tied to it, None where it is free.
    """

    position: int
    mark: str
    starts_first_ending: bool
    tones: int | None


class FixedBars(BarPlan):
    """The bars of a given tune, pickups among them."""

    def __init__(self, bars: Sequence[FixedBar], hornpipe: Hornpipe = "") -> None:
        self.bars, self.hornpipe = tuple(bars), hornpipe
        self.first: int = len(bars) - 1

    def is_satisfiable(self, space: BarSpace) -> bool:
        return True

    def ends(self, space: BarSpace, start: int, repeat: bool, ending: int, left: int | None) -> BarEnds:
        bar = self._bar(left)
        if bar is None:
            return BarEnds()
        return space.with_reachable(*(1 << bar.position if bar.mark == mark else 0 for mark in ("|", "||", "|]", ":|")))

    def after_bar(self, left: int | None, full: bool) -> int | None:
        return None if left is None else left - 1

    def may_end(self, left: int | None, start: int) -> bool:
        return left == -1

    def may_continue(self, left: int | None, start: int) -> bool:
        return not self.may_end(left, start)

    def may_start_first_ending(self, left: int | None) -> bool:
        bar = self._bar(left)
        return bar is not None and bar.starts_first_ending

    def tied_tones(self, left: int | None) -> int | None:
        bar = self._bar(None if left is None else left - 1)
        if bar is None:
            return None
        return 0 if bar.starts_first_ending else bar.tones

    def _bar(self, left: int | None) -> FixedBar | None:
        return self.bars[-1 - left] if left is not None and left >= 0 else None
