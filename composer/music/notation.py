"""The notation of a score: its bars as written, with repeats and endings, and when each is played."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from composer.api import BarNumber, Notation, WrittenBar
from composer.music.playback_order import BarSigns, playback_order


class BarAsRead(NamedTuple):
    """A bar of a file: its signs, length in beats, and number (0 for a pickup); `divided` before a double bar line."""

    signs: BarSigns
    length: Fraction
    number: int
    divided: bool = False


def notation_of(bars: Sequence[BarAsRead], order: Sequence[int], rhythm: str = "") -> Notation | None:
    """Return how bars are written that are played in this order, by their indices.

    None if repeat signs and endings alone do not tell the order, or if a bar is empty or not played.
    """
    onsets, now = defaultdict[int, list[Fraction]](list), Fraction(0)
    for at in order:
        onsets[at].append(now)
        now += bars[at].length
    if len(onsets) < len(bars) or not all(bar.length for bar in bars):
        return None
    signs = _plain_signs(bars, order)
    if playback_order(signs, limit=len(order) + 1) != [*order]:
        return None
    written = (
        WrittenBar(
            tuple(onsets[at]), bar.length, bar.number,
            sign.opens, sign.times, tuple(sorted(sign.endings)), bar.divided,
        )
        for at, (bar, sign) in enumerate(zip(bars, signs, strict=True))
    )  # fmt: skip
    return Notation(tuple(written), rhythm)


def bar_numbers(played: Iterable[tuple[Fraction, int]]) -> tuple[BarNumber, ...]:
    """Return the numbers of bars from the beats at which they are played and their numbers as written.

    Pickups, with 0, have none. If the others are 1, 2, 3 ..., the result is empty, as in `Score`.
    """
    found = [BarNumber(onset, number) for onset, number in played if number]
    in_order = all(after == before + 1 for before, after in pairwise([0, *(each.number for each in found)]))
    return () if in_order else tuple(found)


def _plain_signs(bars: Sequence[BarAsRead], order: Sequence[int]) -> list[BarSigns]:
    """Return the repeats and endings alone, and a sign where each repeat begins, unless it is the first bar."""
    again = {after for before, after in pairwise(order) if 0 < after <= before}
    return [
        BarSigns(opens=bar.signs.opens or at in again, times=bar.signs.times, endings=bar.signs.endings)
        for at, bar in enumerate(bars)
    ]
