"""In which order bars are played that have repeat signs and numbered endings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MAX_BARS = 10_000
"""Where repeats make more bars than this, each bar is played once."""


class RepeatBar(NamedTuple):
    """What a bar says of repeats.

    `opens` where a repeat begins, `times` how often what ends here is played (1 where no repeat ends), and `endings`
    the times that it is played in, where it stands under such numbers.
    """

    opens: bool = False
    times: int = 1
    endings: frozenset[int] = frozenset()


def playing_order(bars: Sequence[RepeatBar]) -> list[int]:
    """The indices of `bars` as they are played.

    A repeat goes back to where it was opened, or to the end of the repeat before. Endings may be missing, and the last
    one may have a repeat sign too.
    """
    order: list[int] = []
    at = start = 0
    time = 1
    while at < len(bars) and len(order) <= MAX_BARS:
        bar = bars[at]
        after_endings = at > start and bool(bars[at - 1].endings) and not bar.endings
        if (bar.opens and at != start) or after_endings:
            start, time = at, 1
        if bar.endings and time not in bar.endings:
            at += 1
            continue
        order.append(at)
        if bar.times > 1:
            if time < max(bar.times, _last_ending(bars, at)):
                at, time = start, time + 1
                continue
            if not (bar.endings and at + 1 < len(bars) and bars[at + 1].endings):
                start, time = at + 1, 1
        at += 1
    return order if len(order) <= MAX_BARS else list(range(len(bars)))


def _last_ending(bars: Sequence[RepeatBar], at: int) -> int:
    """The highest number of the endings that the bar at `at` is among; 1 where it is under none."""
    highest = 1
    while at < len(bars) and bars[at].endings:
        highest = max(highest, *bars[at].endings)
        at += 1
    return highest
