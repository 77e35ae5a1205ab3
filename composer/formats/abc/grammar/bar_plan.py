"""How many bars a tune may have and where each may end: any number, a given number, or the bars of a given tune.

`left` is the number of bars that may still start after the current one. A pickup and the short bar at the end of its
part count as one bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from composer.formats.abc.grammar.bar_space import BarEnds, BarSpace

Hornpipe = Literal["", "chords", "broken rhythm"]

FIRST_BAR = -1
"""The start of parts until the first bar, which may be a pickup, has ended and fixes it."""


class BarPlan:
    """Any number of bars; `left` is always None."""

    first: int | None = None
    """The bars left when the first bar starts, as if that were a pickup."""

    hornpipe: Hornpipe = ""
    """Which of the two a hornpipe already has; none ever has both."""

    def is_satisfiable(self, space: BarSpace) -> bool:
        return space.is_satisfiable(self.first)

    def ends(self, space: BarSpace, start: int, repeat: bool, ending: int, left: int | None) -> BarEnds:
        """Return where a bar may end in parts that start at position `start` of the bar."""
        return space.first(repeat, left) if start == FIRST_BAR else space.ends(start, left)[repeat, ending]

    def after_first_bar(self, left: int | None, full: bool) -> int | None:
        """Return the bars left after the first one, which was full or a pickup."""
        return left

    def after_bar(self, left: int | None, full: bool) -> int | None:
        """Return the bars left when the next one starts, as a full bar or as a part's pickup."""
        return left

    def may_end(self, left: int | None, start: int) -> bool:
        """Return whether the tune may end after a part."""
        return True

    def may_continue(self, left: int | None, start: int) -> bool:
        """Return whether another part may follow."""
        return True

    def may_start_first_ending(self, left: int | None) -> bool:
        """Return whether a first ending may start with this bar."""
        return True

    def tied_tones(self, left: int | None) -> int | None:
        """Return the notes that a tie over the next bar line must lead to: None for any, 0 if no tie is possible."""
        return None


class CountedBars(BarPlan):
    """Exactly `count` bars."""

    def __init__(self, count: int) -> None:
        self.first: int = count

    def after_bar(self, left: int | None, full: bool) -> int | None:
        return None if left is None else left - full

    after_first_bar = after_bar

    def may_end(self, left: int | None, start: int) -> bool:
        return left == (0 if start else -1)

    def may_continue(self, left: int | None, start: int) -> bool:
        return not self.may_end(left, start)


class FixedBar(NamedTuple):
    """A bar of a given tune: it ends at `position` with `mark`.

    `tones` are its first notes, which a tie from the bar before must lead to; None if the bar is to be generated.
    """

    position: int
    mark: str
    starts_first_ending: bool
    tones: int | None


class FixedBars(BarPlan):
    """The bars of a given tune, including pickups."""

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
