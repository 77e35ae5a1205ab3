"""The piano roll of a jam: the piece that is being played, with the bars that are composed already."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from composer.cli.jam.bars import JamBar
from composer.cli.jam.tape import Tape
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

    def draw(self, tape: Tape, coming: Sequence[JamBar], beat: Fraction, *status: str) -> None:
        """Draw the roll with a cursor at `beat`, and lines of `status` below."""
        start = self._page(tape, beat)
        shown = (start, len(tape.bars), len(tape.keyboard), coming)
        if shown != self._shown:
            score = tape.score(start, _of_piece(coming))
            self._view = RollView(self._console, score if score.is_audible else None)
            self._shown, self._start = shown, start
        self._view.draw_at(max(beat - self._start, Fraction(0)), *status)

    def _page(self, tape: Tape, beat: Fraction) -> Fraction:
        """Return the beat at which the page begins that `beat` is on."""
        if not tape.bars:
            return Fraction(0)
        current = first = tape.bar_at(beat)
        while first and not tape.bars[first].bar.starts:
            first -= 1
        return tape.bars[first + (current - first) // PAGE * PAGE].start


def _of_piece(coming: Sequence[JamBar]) -> Sequence[JamBar]:
    """Return the coming bars that belong to the current piece."""
    following = next((at for at, each in enumerate(coming) if each.starts), len(coming))
    return coming[:following]
