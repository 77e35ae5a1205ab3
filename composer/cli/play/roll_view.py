"""The piano roll during playback: a cursor runs through it, and it scrolls system by system."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING

from composer.api import Score
from composer.cli import interrupts
from composer.cli.render.piano_roll import GUTTER, MIN_WIDTH, picture
from composer.cli.render.roll_layout import System, lay_out
from composer.music.tempo_map import TempoMap

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.text import Text

    from composer.cli.console import Console

_ENTER, _LEAVE = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"
"""Switch to a second screen without cursor, and back."""
_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\033[H", "\033[K", "\033[J"
_DEFAULT_ROWS = 24


@contextmanager
def second_screen(console: Console) -> Iterator[None]:
    """Show what is drawn within the context on a screen of its own; afterwards the terminal is as before."""

    def leave() -> None:
        os.write(console.stderr.fileno(), _LEAVE.encode())

    interrupts.restore_at_end(leave)
    try:
        _write(console, _ENTER)
        yield
    finally:
        _write(console, _LEAVE)
        interrupts.is_restored(leave)


class RollView:
    """Draws a score at a time in seconds, on a console's stderr; `score` is None if there is nothing to draw."""

    def __init__(self, console: Console, score: Score | None, tempo_map: TempoMap | None = None) -> None:
        self._console, self._score = console, score
        self._tempo_map = tempo_map or TempoMap(score.tempos if score is not None else ())
        self._size = (0, 0)
        self._systems: _Systems | None = None
        self._drawn: object = None

    def draw(self, seconds: float, *status: str) -> None:
        """Draw the systems from the one at `seconds` on, with a cursor, and lines of `status` below."""
        self.draw_at(self._tempo_map.beat(Fraction(max(seconds, 0.0)).limit_denominator(1000)), *status)

    def draw_at(self, beat: Fraction, *status: str) -> None:
        """Draw the systems from the one at `beat` on, with a cursor, and lines of `status` below.

        A status line that is too wide is continued in the next line, at a gap of several spaces. In a low terminal, the
        status is shown before the systems.
        """
        size = terminal_size(self._console)
        if self._score is not None and (self._systems is None or size != self._size):
            self._systems = _Systems(self._console.rich_console(self._console.stderr), self._score, size[0])
        column = self._systems.advance(beat) if self._systems is not None else 0
        state = (size, column, status, self._systems.number if self._systems is not None else 0)
        if state == self._drawn:
            return
        self._size, self._drawn = size, state
        columns, rows = size
        footer = [line for each in status for line in _wrapped(_printable(each), columns)][:rows]
        room = rows - 1 - len(footer)
        lines = [*self._systems.lines(column, room), ""] if self._systems is not None and room > 0 else []
        # a line is cleared before it is written, since its last character could be cleared after it
        body = "\r\n".join(f"{_CLEAR_LINE}{line}" for line in [*lines, *footer])
        _write(self._console, _HOME + body + _CLEAR_BELOW)


class _Systems:
    """The systems of a piano roll, of which only those from the current one on are kept."""

    def __init__(self, canvas: RichConsole, score: Score, width: int) -> None:
        canvas.width = width
        self._canvas, self.number = canvas, 0
        self._bar = "|" if canvas.options.ascii_only else "│"
        texts = picture(score, canvas)
        self._caption = next(texts).split("\n")
        layout = lay_out(score, max(width, MIN_WIDTH) - GUTTER)
        self._coming = zip(layout, texts, strict=False)
        self._kept = [*_first(self._coming, 1)]

    def advance(self, beat: Fraction) -> int:
        """Make the system at `beat` the current one, and return the column of the beat in it."""
        while self._fill(2) and self._kept[1][0].start <= beat:
            self._kept.pop(0)
            self.number += 1
        if not self._kept:
            return 0
        system = self._kept[0][0]
        return min(max(int((beat - system.start) / system.cell), 0), system.columns - 1)

    def lines(self, column: int, rows: int) -> list[str]:
        """Return the caption and as many whole systems as fit in `rows`, the first one with a cursor at `column`.

        The caption is left out as far as the first system needs its lines.
        """
        first = self._with_cursor(self._lines_of(0), GUTTER + column) if self._fill(1) else []
        caption = self._caption[: max(rows - len(first), 0)]
        lines, at = [*caption, *(first if caption else first[1:])], 1
        while self._fill(at + 1) and len(lines) + len(following := self._lines_of(at)) <= rows:
            lines += following
            at += 1
        return [self._rendered(line) for line in lines[:rows]]

    def _lines_of(self, at: int) -> list[Text]:
        """Return a blank line, the heading and the rows of a system that is kept."""
        return list(self._kept[at][1].split("\n")[1:])

    def _fill(self, count: int) -> bool:
        """Lay out up to `count` systems; return whether there are as many."""
        self._kept += _first(self._coming, count - len(self._kept))
        return len(self._kept) >= count

    def _with_cursor(self, lines: list[Text], at: int) -> list[Text]:
        from rich.text import Text

        heading, rows = lines[:2], lines[2:]
        marked = []
        for row in rows:
            row.pad_right(max(at + 1 - len(row.plain), 0))
            before, _, after = row.divide([at, at + 1])
            marked.append(Text.assemble(before, (self._bar, "bold"), after))
        return [*heading, *marked]

    def _rendered(self, line: Text) -> str:
        with self._canvas.capture() as captured:
            self._canvas.print(line, end="", no_wrap=True, overflow="crop", crop=True)
        return captured.get().rstrip("\n")


def _first(items: Iterator[tuple[System, Text]], count: int) -> Iterator[tuple[System, Text]]:
    for _ in range(count):
        if (item := next(items, None)) is None:
            return
        yield item


def _wrapped(text: str, width: int) -> list[str]:
    """Return a line in lines of at most `width` columns, broken at gaps of several spaces; a longer part is cut."""
    from rich.cells import cell_len, set_cell_size

    lines = list[str]()
    for gap, part in re.findall(r"(\s{2,}|)(.+?)(?=\s{2,}|$)", text):
        if lines and cell_len(lines[-1] + gap + part) <= width:
            lines[-1] += gap + part
        else:
            fits = cell_len(part) <= width
            lines.append(part if fits else set_cell_size(part, max(width - 3, 0)).rstrip() + "..."[:width])
    return lines


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def terminal_size(console: Console) -> tuple[int, int]:
    """Return the columns and rows of the terminal."""
    with suppress(OSError, ValueError):
        size = os.get_terminal_size(console.stderr.fileno())
        return size.columns or console.width, size.lines or _DEFAULT_ROWS
    return console.width, _DEFAULT_ROWS


def _write(console: Console, text: str) -> None:
    with suppress(OSError):
        console.stderr.write(text)
        console.stderr.flush()
