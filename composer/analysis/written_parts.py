"""The parts of a piece as written, each once: their bars, where they close, and cycles of bars that repeat in place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from composer.api import Score
from composer.music.bars import Bar, bars
from composer.music.melody import TICKS_PER_BEAT, Onset

BarContent = tuple[tuple[int, int], ...]
"""Onsets in a bar as (ticks from its start, pitch); equal bars sound the same."""

MAX_CYCLE = 8
"""Bars in the longest cycle that counts as a loop; longer sections that come again are form."""

_SLACK = 1e-6
"""Tolerance in beats for onsets that rounding moves before a bar line."""


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """One part: the content of its full bars, the first time through, and its last note, if it has any."""

    bars: tuple[BarContent, ...]
    last: Onset | None


class Loop(NamedTuple):
    """`times` repetitions in place of a cycle of `bars` bars."""

    bars: int = 0
    times: int = 1

    @property
    def excess(self) -> int:
        """Bars beyond the second time."""
        return self.bars * max(0, self.times - 2)


def written_parts(score: Score, line: Sequence[Onset]) -> list[WrittenPart]:
    """Return the parts of `score` with its melody `line`; all of it is one part if its sections are unknown."""
    grid = [bar for bar in bars(score) if bar.number > 0]
    if not score.sections:
        return [WrittenPart(tuple(melody_bars(line, grid)), line[-1] if line else None)]
    starts, onsets = [float(bar.start) for bar in grid], [note.onset for note in line]
    parts = []
    for section in score.sections:
        begin, end, once = (float(each) for each in (section.onset, section.end, section.onset + section.written))
        within = grid[bisect_left(starts, begin - _SLACK) : bisect_left(starts, once - _SLACK)]
        heard = line[bisect_left(onsets, begin - _SLACK) : bisect_left(onsets, end - _SLACK)]
        first_time = heard[: bisect_left(onsets, once - _SLACK) - bisect_left(onsets, begin - _SLACK)]
        parts.append(WrittenPart(tuple(melody_bars(first_time, within)), heard[-1] if heard else None))
    return parts


def melody_bars(line: Sequence[Onset], bars: Iterable[Bar]) -> list[BarContent]:
    """Return the onsets of a melody in each bar except a pickup."""
    onsets, contents = [note.onset for note in line], []
    for bar in bars:
        if bar.number > 0:
            start = float(bar.start)
            within = slice(bisect_left(onsets, start - _SLACK), bisect_left(onsets, float(bar.end) - _SLACK))
            contents.append(tuple((round(TICKS_PER_BEAT * (note.onset - start)), note.pitch) for note in line[within]))
    return contents


def longest_loop(contents: Sequence[BarContent]) -> Loop:
    """Return the cycle of at most MAX_CYCLE bars with most excess bars; silent bars are no cycle."""
    longest = Loop()
    for cycle in range(1, MAX_CYCLE + 1):
        same = 0
        for at in range(cycle, len(contents)):
            same = same + 1 if contents[at] == contents[at - cycle] else 0
            if same and any(contents[at - cycle + 1 : at + 1]):
                longest = max(longest, Loop(cycle, 1 + same // cycle), key=lambda loop: loop.excess)
    return longest
