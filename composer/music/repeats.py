"""Playing order of bars with repeat signs and numbered endings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MAX_BARS = 10_000
"""If repeats make more bars than this, each bar is played once."""


class RepeatBar(NamedTuple):
    """The repeat signs of a bar.

    `opens` is True if a repeat begins here. `times` is how often the repeat that ends here is played, 1 for none.
    `endings` are the passes that this bar is played in; empty for all.
    """

    opens: bool = False
    times: int = 1
    endings: frozenset[int] = frozenset()


def playing_order(bars: Sequence[RepeatBar]) -> list[int]:
    """Return the indices of `bars` in playing order.

    A repeat without a start goes back to the end of the previous one. Endings may be missing, and the last one may
    have a repeat sign too.
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
    """Return the highest ending number from bar `at` on; 1 outside endings."""
    highest = 1
    while at < len(bars) and bars[at].endings:
        highest = max(highest, *bars[at].endings)
        at += 1
    return highest
