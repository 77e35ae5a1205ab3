"""The notation of a tune: its bars as written, with repeats and endings, and when each is played."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from composer.api import Notation, WrittenBar
from composer.formats.abc.reader.playback import bar_signs
from composer.formats.abc.reader.structure import Bar
from composer.music.keys import BEAT
from composer.music.playback_order import BarSigns, playback_order


def notation(written: Sequence[Bar], played: Sequence[Bar], numbers: Mapping[int, int], rhythm: str) -> Notation | None:
    """Return how a voice is written; `numbers` are those of its bars, by the bar's identity.

    None if repeat signs and endings alone do not tell in which order it is played, or if a bar is empty or not played.
    """
    places = {id(bar): at for at, bar in enumerate(written)}
    order = [places[id(bar)] for bar in played]
    onsets, now = defaultdict[int, list[Fraction]](list), 0
    for at in order:
        onsets[at].append(Fraction(now, BEAT))
        now += written[at].ticks
    if len(onsets) < len(written) or not all(bar.ticks for bar in written):
        return None
    signs = _plain_signs(written, order)
    if playback_order(signs, limit=len(order) + 1) != order:
        return None
    bars = (
        WrittenBar(
            tuple(onsets[at]), Fraction(bar.ticks, BEAT), numbers[id(bar)],
            sign.opens, sign.times, tuple(sorted(sign.endings)), bar.close is not None and bar.close.strong,
        )
        for at, (bar, sign) in enumerate(zip(written, signs, strict=True))
    )  # fmt: skip
    return Notation(tuple(bars), rhythm)


def _plain_signs(written: Sequence[Bar], order: Sequence[int]) -> list[BarSigns]:
    """Return the repeats and endings alone, and a sign where each repeat begins, unless it is the first bar."""
    again = {after for before, after in pairwise(order) if 0 < after <= before}
    return [
        BarSigns(opens=sign.opens or at in again, times=sign.times, endings=sign.endings)
        for at, sign in enumerate(bar_signs(written))
    ]
