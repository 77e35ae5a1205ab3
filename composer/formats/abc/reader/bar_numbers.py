"""The numbers of bars as written, for the bars as played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from composer.api import BarNumber
from composer.formats.abc.reader.bars import Bar
from composer.music import notation
from composer.music.keys import BEAT, Time

__all__ = ["bar_numbers", "written_numbers"]


def bar_numbers(numbers: Mapping[int, int], played: Sequence[Bar]) -> tuple[BarNumber, ...]:
    """Return the numbers of the bars of a voice; none if they are played in order."""
    onsets = accumulate((bar.ticks for bar in played), initial=0)
    return notation.bar_numbers(
        (Fraction(now, BEAT), numbers[id(bar)]) for now, bar in zip(onsets, played, strict=False)
    )


def written_numbers(time: Time, written: Sequence[Bar]) -> dict[int, int]:
    """Return the number of each bar, by its identity; pickups have 0. `time` is the first meter.

    `gen abc --keep-bars` counts in the same way (`grammar.infill`): the pickup of a part is no bar of its own.
    """
    numbers, count = dict[int, int](), 0
    for at, bar in enumerate(written):
        time = bar.time or time
        mark = bar.open
        begins = at == 0 or (mark is not None and not mark.endings and (mark.starts or mark.ends or mark.strong))
        is_pickup = begins and not time.free and bar.ticks < time.bar
        count += not is_pickup
        numbers[id(bar)] = 0 if is_pickup else count
    return numbers
