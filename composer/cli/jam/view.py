"""The piano roll of a jam: the piece that is being played, with the bars that are composed already."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from composer.cli.jam.bars import JamBar
from composer.cli.jam.performance import Performance
from composer.cli.play.roll_view import RollView

if TYPE_CHECKING:
    from composer.cli.console import Console

PAGE = 32
"""Bars of a piece after which the roll begins anew."""


class JamView:
    """Draws what is played now, from the first bar of its piece on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._view = RollView(console, None)
        self._start = Fraction(0)
        self._shown: object = None

    def draw(self, performance: Performance, coming: Sequence[JamBar], beat: Fraction, *status: str) -> None:
        """Draw the roll with a cursor at `beat`, and lines of `status` below."""
        self._turn_page(performance, beat)
        shown = (self._start, len(performance.bars), len(performance.keyboard), coming)
        if shown != self._shown:
            score = performance.score(self._start, _of_piece(coming))
            self._view = RollView(self._console, score if score.is_audible else None)
            self._shown = shown
        self._view.draw_at(max(beat - self._start, Fraction(0)), *status)

    def _turn_page(self, performance: Performance, beat: Fraction) -> None:
        """Begin a page at the piece that is played at `beat`, or when the page is full."""
        bars, current = performance.bars, performance.bar_at(beat)
        if not bars:
            return
        first = min(performance.bar_at(self._start), current)
        starts = (at for at in range(current, first, -1) if bars[at].bar.starts)
        first = next(starts, first)
        self._start = bars[first + (current - first) // PAGE * PAGE].start


def _of_piece(coming: Sequence[JamBar]) -> Sequence[JamBar]:
    """Return the coming bars that belong to the current piece."""
    following = next((at for at, each in enumerate(coming) if each.starts), len(coming))
    return coming[:following]
