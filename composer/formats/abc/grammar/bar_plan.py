"""How many bars a tune may have and where each may end: any number, a given number, or parts or bars that are given.

`left` is the number of bars that may still start after the current one. A pickup and the short bar at the end of its
part count as one bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from composer.formats.abc.grammar.bar_space import BarEnds, BarSpace, Positions

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


class PlannedParts(BarPlan):
    """Parts of given numbers of bars.

    `left` is twice the number of bars that may still start, plus 1 in a pickup; the first bar of a tune counts as one.
    """

    def __init__(self, parts: Sequence[int]) -> None:
        self.first: int = 2 * sum(parts) + 1
        self._places: dict[int, _PlaceInPart] = {}
        """What may follow a bar, by `left`."""
        after, following = 0, _Following()
        for bars in reversed(parts):
            self._places[2 * (after + bars) + 1] = _PlaceInPart(bars, True, following)
            for left in range(bars):
                self._places[2 * (after + left)] = _PlaceInPart(left, False, following)
            after, following = after + bars, (min(bars, SIMILAR_BARS), *following[: SIMILAR_PARTS - 1])

    def is_satisfiable(self, space: BarSpace) -> bool:
        lefts = ((0, self.first - 3), (FIRST_BAR, self.first))  # most tunes can begin with a full bar
        ends = (self.ends(space, start, repeat, 0, left) for start, left in lefts for repeat in (False, True))
        return any(space.may_begin(0, each.open) for each in ends)

    def ends(self, space: BarSpace, start: int, repeat: bool, ending: int, left: int | None) -> BarEnds:
        place = self._places.get(-1 if left is None else left)
        if place is None:
            return BarEnds()
        if start != FIRST_BAR:
            return _planned_ends(space, start, repeat, ending, place)
        lines = 0
        for position in range(1, space.bar):
            lines |= 1 << position if _planned_ends(space, space.bar - position, repeat, 0, place).lines else 0
        full = self.ends(space, 0, repeat, 0, self.first - 3)
        return space.with_reachable(lines | full.lines, full.doubles, full.finals, full.backs)

    def after_bar(self, left: int | None, full: bool) -> int | None:
        return None if left is None else 2 * ((left >> 1) - full) + (not full)

    after_first_bar = after_bar

    def may_end(self, left: int | None, start: int) -> bool:
        return left is not None and left >> 1 == (0 if start else -1)

    def may_continue(self, left: int | None, start: int) -> bool:
        return not self.may_end(left, start)

    def may_start_first_ending(self, left: int | None) -> bool:
        place = self._places.get(-1 if left is None else left)
        return place is not None and place.left > 0 and not place.is_pickup


SIMILAR_BARS, SIMILAR_PARTS = 4, 8
"""With so many bars left in a part, or parts in a tune, more make no difference to where a bar may end."""

_Following = tuple[int, ...]
"""The bars of the parts after this one, up to SIMILAR_BARS and SIMILAR_PARTS."""


class _PlaceInPart(NamedTuple):
    """How many bars of its part follow a bar, whether it is a pickup, and the parts that follow."""

    left: int
    is_pickup: bool
    following: _Following


@lru_cache(1 << 16)
def _planned_ends(space: BarSpace, start: int, repeat: bool, ending: int, place: _PlaceInPart) -> BarEnds:
    """Return where a bar may end, as `BarSpace.ends`, so that the parts that follow can be completed."""
    if place.left > SIMILAR_BARS:
        return _planned_ends(space, start, repeat, ending, place._replace(left=SIMILAR_BARS))
    has, full, close = space.vocabulary.has, 1 << space.bar, 1 << (start or space.bar)
    if not place.left:
        back, may_end = repeat and ending != 2, not place.following
        part = not may_end and any(space.may_begin(start, _next_part(space, start, each, place)) for each in (0, 1))
        if ending == 1:  # the second ending belongs to the part
            return BarEnds()
        return space.with_reachable(
            0,
            close if part and not back else 0,
            close | full if has("]") and not back and may_end else 0,
            close if back and has(":") and (part or may_end) else 0,
        )
    after = _PlaceInPart(place.left - 1, False, place.following)
    line = space.may_begin(0, _planned_ends(space, start, repeat, ending, after).open)
    if repeat and not ending and not place.is_pickup and has("[1"):
        line = line or space.may_begin(0, _planned_ends(space, start, True, 1, after).open)
    second = ending == 1 and has("[2") and has(":")
    second = second and space.may_begin(0, _planned_ends(space, start, True, 2, after).open)
    return space.with_reachable(full if line else 0, 0, 0, close if second else 0)


def _next_part(space: BarSpace, start: int, repeat: int, place: _PlaceInPart) -> Positions:
    """Return the open positions of the first bar of the part after `place`."""
    bars, *rest = place.following
    first = _PlaceInPart(bars if start else bars - 1, bool(start), tuple(rest))
    return _planned_ends(space, start, bool(repeat), 0, first).open


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
