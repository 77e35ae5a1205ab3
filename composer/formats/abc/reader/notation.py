"""The notation of a tune: its bars as written, with repeats and endings, and when each is played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from composer.api import Notation
from composer.formats.abc.reader.playback import bar_signs
from composer.formats.abc.reader.structure import Bar
from composer.music.keys import BEAT
from composer.music.notation import BarAsRead, notation_of


def notation(written: Sequence[Bar], played: Sequence[Bar], numbers: Mapping[int, int], rhythm: str) -> Notation | None:
    """Return how a voice is written; `numbers` are those of its bars, by the bar's identity.

    None if repeat signs and endings alone do not tell in which order it is played, or if a bar is empty or not played.
    """
    places = {id(bar): at for at, bar in enumerate(written)}
    bars = [
        BarAsRead(sign, Fraction(bar.ticks, BEAT), numbers[id(bar)], bar.close is not None and bar.close.strong)
        for bar, sign in zip(written, bar_signs(written), strict=True)
    ]
    return notation_of(bars, [places[id(bar)] for bar in played], rhythm)
