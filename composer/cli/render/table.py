"""Tables of text: aligned columns, which in a narrow terminal are wrapped or continued below each row."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from composer.cli.render.text import wrap
from composer.system.escaping import escape_line

_GAP = 2
MIN_COLUMN = 12
"""Minimum width of a wrapped cell."""


def table(rows: Sequence[Sequence[str]], width: int | None = None, fold: Sequence[int] = ()) -> str:
    """Return rows, of which the first one has the headings, with columns that are aligned as the console shows them.

    If they are wider than `width`, the columns `fold` follow below each row, in this order, until the others fit.
    """
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    kept, waiting = list(range(len(widths))), list(fold)
    while width is not None and waiting and sum(widths[each] + _GAP for each in kept) - _GAP > width:
        kept.remove(waiting.pop(0))
    lines = list[str]()
    for number, row in enumerate(rows):
        lines.append((" " * _GAP).join(row[column].ljust(widths[column]) for column in kept).rstrip())
        if number and width is not None:
            cells = [cell for column, cell in enumerate(row) if cell and column not in kept]
            lines += [" " * _GAP + line for line in _wrap_list(cells, width - _GAP)]
    return "".join(f"{line}\n" for line in lines)


def wrapped_columns(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return the lines of aligned rows; the widest columns are wrapped so that no line is wider than `width`."""
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while width is not None and widths and _GAP * (len(widths) - 1) + sum(widths) > width and max(widths) > MIN_COLUMN:
        widths[widths.index(max(widths))] -= 1
    return [line for row in rows for line in _wrap_row(row, widths)]


def _wrap_row(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a row with wrapped cells."""
    cells = [
        textwrap.wrap(cell, width, break_on_hyphens=False) if width else []
        for cell, width in zip(row, widths, strict=True)
    ]
    for parts in zip_longest(*cells, fillvalue=""):
        yield (" " * _GAP).join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()


def _wrap_list(cells: Sequence[str], width: int) -> Iterator[str]:
    """Yield cells in lines of at most `width` columns; only those that are longer are broken."""
    line = ""
    for number, cell in enumerate(cells, 1):
        text = cell + "," * (number < len(cells))
        if line and len(f"{line} {text}") > width:
            yield line
            line = ""
        *whole, line = wrap(f"{line} {text}".lstrip(), width)
        yield from whole
    if line:
        yield line
