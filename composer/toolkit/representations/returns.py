"""Passages of a piece that equal earlier ones: whole bars, and what is the same before and after them."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

__all__ = ["MAX_RETURNS", "Return", "find_returns", "parse_beats"]

MAX_RETURNS = 64
"""Passages of a piece that are kept, the longest ones, so that a plan stays small."""
_MAX_CANDIDATES = 64
"""Equal bars, the first ones, that a bar is compared with; a piece with more of them is a loop."""


_BEATS = re.compile(r"[0-9]{1,9}(?:/[1-9][0-9]{0,8})?")


def parse_beats(text: str) -> Fraction:
    """Return a number of beats, `3` or `3/2`, of at most nine digits. Raises ValueError for another text.

    A Fraction of other text may raise another error, as that of `1/0`, or take forever, as that of `1e99999999`.
    """
    if not _BEATS.fullmatch(text):
        raise ValueError(f"not a number of beats: {text[:40]!r}")
    return Fraction(text)


class Return(NamedTuple):
    """A passage, from beat `start` to `end`, that equals the one that begins at beat `source`, whole bars earlier.

    As text: `15-31=0`.
    """

    start: Fraction
    end: Fraction
    source: Fraction

    @classmethod
    def parse(cls, text: str) -> Return:
        """Return the passage that `str` wrote. Raises ValueError for another text, and for an impossible passage."""
        passage, _, source = text.partition("=")
        start, _, end = passage.partition("-")
        found = cls(parse_beats(start), parse_beats(end), parse_beats(source))
        if not 0 <= found.source < found.start < found.end:
            raise ValueError(f"no passage of a piece: {text!r}")
        return found

    def __str__(self) -> str:
        return f"{self.start}-{self.end}={self.source}"

    def moved(self, beats: Fraction) -> Return | None:
        """Return the passage so many beats later, without what would come from before the piece; None if all would."""
        shift = max(beats, -self.source)
        moved = Return(self.start + shift, self.end + beats, self.source + shift)
        return moved if moved.start < moved.end else None


class _Run(NamedTuple):
    """Steps `first` to `end` that equal those `lag` steps before."""

    first: int
    end: int
    lag: int


def find_returns(
    steps: Sequence[Hashable], onsets: Collection[int], bar: int, pickup: int, per_beat: Fraction
) -> tuple[Return, ...]:
    """Return the passages of a piece that equal earlier ones exactly, in order.

    A passage has one or more whole bars of `bar` steps, counted from the end of a pickup of `pickup` steps. In the
    first of them a note starts; `onsets` are all steps in which one does. As many beats before and after these bars
    belong to the passage as are the same too, usually a pickup and the end of a phrase.
    """
    runs = _extended(steps, list(_whole_bars(steps, onsets, bar, pickup)), bar, per_beat)
    longest = sorted(runs, key=lambda run: run.first - run.end)[:MAX_RETURNS]
    return tuple(
        Return(*(step / per_beat for step in (run.first, run.end, run.first - run.lag))) for run in sorted(longest)
    )


def _whole_bars(steps: Sequence[Hashable], onsets: Collection[int], bar: int, pickup: int) -> Iterator[_Run]:
    """Yield the runs of whole bars that equal earlier ones, each from where most bars in a row do."""
    begun = {(step - pickup) // bar for step in onsets}
    numbers: dict[Sequence[Hashable], int] = {}
    bars = [
        numbers.setdefault(tuple(steps[first : first + bar]), len(numbers))
        for first in range(pickup, len(steps) - bar + 1, bar)
    ]
    earlier: dict[int, list[int]] = {}
    at = 0
    while at < len(bars):
        candidates = earlier.get(bars[at], ())[:_MAX_CANDIDATES] if at in begun else ()
        length, source = max(((_same_bars(bars, at, each), -each) for each in candidates), default=(0, 0))
        if length:
            yield _Run(pickup + at * bar, pickup + (at + length) * bar, (at + source) * bar)
        for number in range(at, at := at + max(length, 1)):
            earlier.setdefault(bars[number], []).append(number)


def _same_bars(bars: Sequence[int], at: int, source: int) -> int:
    """Return how many bars in a row from `at` on equal those from `source` on."""
    length = 0
    while at + length < len(bars) and bars[at + length] == bars[source + length]:
        length += 1
    return length


def _extended(steps: Sequence[Hashable], runs: Sequence[_Run], bar: int, per_beat: Fraction) -> Iterator[_Run]:
    """Yield each run with the whole beats before and after it that are the same too; they never overlap."""
    beat = per_beat.numerator if per_beat.denominator == 1 else bar
    before = 0
    bounds = [*(run.first for run in runs), len(steps)]

    def same(start: int, lag: int) -> bool:
        return steps[start : start + beat] == steps[start - lag : start - lag + beat]

    for run, following in zip(runs, bounds[1:], strict=True):
        first, end, lag = run
        while first - beat >= max(before, lag) and same(first - beat, lag):
            first -= beat
        while end + beat <= min(following, run.end + bar - 1) and same(end, lag):
            end += beat
        yield _Run(first, end, lag)
        before = end
