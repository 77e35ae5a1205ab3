"""Ranges of bars, such as `1-4,9`, and their position in a score."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from composer.api import OptionError, Score, Unsatisfiable
from composer.music.bars import bars

__all__ = ["NO_BARS", "BarRanges", "parse_bar_ranges", "spans"]

_EXAMPLE = "use --keep-bars 4-8, or 1-4,9 for several ranges; a pickup is not counted"


@dataclass(frozen=True, slots=True)
class BarRanges:
    """Bar numbers as inclusive ranges, and the `text` they were parsed from."""

    ranges: tuple[tuple[int, int], ...]
    text: str = ""

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)

    def check(self, count: int) -> None:
        """Raise Unsatisfiable if a tune of `count` bars lacks some of these, or has no others."""
        last = max(last for _, last in self.ranges)
        example = f"the tune has {count} bars; for example, use --keep-bars 1-{count // 2}"
        hint = example if count > 1 else "leave out --keep-bars"
        if last > count:
            raise Unsatisfiable(
                f"invalid value for --keep-bars: '{self.text}' (there is no bar {last})", hint, flags=("--keep-bars",)
            )
        if all(number in self for number in range(1, count + 1)):
            message = f"--keep-bars {self.text} keeps all {count} bars of the tune, so there is nothing to generate"
            raise Unsatisfiable(message, hint, flags=("--keep-bars",))


NO_BARS = BarRanges(())


def parse_bar_ranges(text: str) -> BarRanges:
    """Parse `4-8` or `1-4,9`. Raises OptionError."""
    ranges = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        if ends is None:
            raise OptionError(f"invalid value for --keep-bars: '{text}'", _EXAMPLE)
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not 1 <= first <= last:
            reason = "there is no bar 0" if not first else f"{first} is after {last}"
            raise OptionError(f"invalid value for --keep-bars: '{text}' ({reason})", _EXAMPLE)
        ranges.append((first, last))
    return BarRanges(tuple(ranges), text.strip())


def spans(ranges: BarRanges, score: Score) -> tuple[tuple[Fraction, Fraction], ...]:
    """Return the start and end of each bar of `score` in `ranges`, in beats. Raises Unsatisfiable like `check`.

    Bars are counted as played. The pickup, bar 0, is always among them.
    """
    every = list(bars(score))
    ranges.check(every[-1].number if every else 0)
    return tuple((bar.start, bar.end) for bar in every if not bar.number or bar.number in ranges)
