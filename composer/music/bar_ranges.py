"""Bars of a tune that a player wants to keep, as he names them, and where they are in a score."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from composer.api import OptionError, Score, Unsatisfiable
from composer.music.bars import bars

__all__ = ["NO_BARS", "BarRanges", "parse_bar_ranges", "spans"]

_EXAMPLE = "write it as 4-8, or 1-4,9 for several; bars are counted from 1, without the pickup"


@dataclass(frozen=True, slots=True)
class BarRanges:
    """Numbers of bars, as ranges of which both ends count. `text` is how the player wrote them."""

    ranges: tuple[tuple[int, int], ...]
    text: str = ""

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)

    def check(self, count: int) -> None:
        """Raise Unsatisfiable where these cannot be kept of a tune of `count` bars while others are composed."""
        last = max(last for _, last in self.ranges)
        if last > count:
            raise Unsatisfiable(
                f"--keep-bars {self.text} and the tune clash: there is no bar {last}", f"it has bars 1 to {count}"
            )
        if all(number in self for number in range(1, count + 1)):
            raise Unsatisfiable(
                f"--keep-bars {self.text} keeps all {count} bars of the tune, and none is to be composed",
                "leave out the bars that shall be new",
            )


NO_BARS = BarRanges(())
"""No bar at all."""


def parse_bar_ranges(text: str) -> BarRanges:
    """The bars that `4-8` or `1-4,9` names. Raises OptionError."""
    ranges = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        if ends is None:
            raise OptionError(f"--keep-bars {text} names no bars", _EXAMPLE)
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not 1 <= first <= last:
            why = "there is no bar 0" if not first else f"{first} is after {last}"
            raise OptionError(f"--keep-bars {text} names no bars: {why}", _EXAMPLE)
        ranges.append((first, last))
    return BarRanges(tuple(ranges), text.strip())


def spans(kept: BarRanges, score: Score) -> tuple[tuple[Fraction, Fraction], ...]:
    """Where in `score` the kept bars are, from beat to beat, in order. Raises Unsatisfiable as `BarRanges.check` does.

    Bars are those of the score, in which repeats are played out; its pickup, which has the number 0, stays with any.
    """
    there = list(bars(score))
    kept.check(there[-1].number if there else 0)
    return tuple((bar.start, bar.end) for bar in there if not bar.number or bar.number in kept)
