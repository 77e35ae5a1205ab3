"""Bar lines of music21's measures: repeats, endings, double and final bar lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from composer.api import Notation, WrittenBar
from composer.formats.musicxml.library import music21


def add_bar_lines(staff: Any, notation: Notation | None) -> None:
    """Add the bar lines of a part, whose measures are the bars of `notation`; without it only the final one."""
    m21 = music21()
    measures = [*staff.getElementsByClass("Measure")]
    measures[-1].rightBarline = m21.bar.Barline("final")
    if notation is None:
        return
    for measure, bar in zip(measures, notation.bars, strict=True):
        if bar.opens:
            measure.leftBarline = m21.bar.Repeat("start")
        if bar.times > 1:
            measure.rightBarline = m21.bar.Repeat("end", times=bar.times if bar.times > 2 else None)
        elif bar.divided and measure is not measures[-1]:
            measure.rightBarline = m21.bar.Barline("double")
    for passes, indices in _endings(notation.bars):
        bracket = m21.spanner.RepeatBracket([measures[at] for at in indices], number=[*passes])
        staff.insert(0, bracket)


def _endings(bars: Sequence[WrittenBar]) -> Iterator[tuple[tuple[int, ...], Sequence[int]]]:
    """Yield the passes of each ending, and the indices of its bars."""
    for passes, group in groupby(range(len(bars)), key=lambda at: bars[at].endings):
        if passes:
            yield passes, [*group]
