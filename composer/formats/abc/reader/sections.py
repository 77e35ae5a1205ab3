"""The sections of a tune as written, between repeat signs and double bar lines, with their times as played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

from composer.api import Section
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.structure import Section as WrittenSection
from composer.formats.abc.reader.structure import iter_bars_as_played
from composer.music.keys import BEAT


def written_sections(found: Sequence[WrittenSection], played: Sequence[Bar]) -> Iterator[Section]:
    """Yield the sections `found` of a voice; none if it is not `played` section by section, as after a jump."""
    passes = list(islice(iter_bars_as_played(found), len(played) + 1))
    if len(passes) != len(played) or any(bar is not other for bar, other in zip(passes, played, strict=True)):
        return
    now = 0
    for section in found:
        for ticks, times in _lengths(section):
            yield Section(Fraction(now, BEAT), Fraction(now + ticks, BEAT), times)
            now += ticks


def _lengths(section: WrittenSection) -> Iterator[tuple[int, int]]:
    """Yield the length in ticks of a section, all times together, and the times; double bar lines divide it."""
    if section.times > 1 or section.endings:
        yield sum(bar.ticks for bar in iter_bars_as_played([section])), section.times
        return
    ticks = 0
    for number, bar in enumerate(section.bars):
        if number and bar.open is not None and bar.open.strong:
            yield ticks, 1
            ticks = 0
        ticks += bar.ticks
    yield ticks, 1
