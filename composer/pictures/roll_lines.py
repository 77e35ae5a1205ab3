"""Break a score into the lines of a piano roll: bars side by side up to a length in beats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from composer.api import Note, Score
from composer.music.bars import Bar
from composer.pictures.bar_lines import drawn_bars

LINE_BEATS = 32
"""Maximum beats in a line: eight bars of 4/4."""


@dataclass(slots=True)
class Line:
    """Beats `start` to `end`, with the bars that begin there by beat and number."""

    start: Fraction
    end: Fraction
    bars: list[tuple[Fraction, int]]


def lines(score: Score) -> Iterator[Line]:
    """Yield the lines of `score`; none if it is silent. A bar that is longer than a line continues in the next."""
    line: Line | None = None
    for bar in drawn_bars(score):
        if line is not None and bar.end - line.start > LINE_BEATS:
            yield line
            line = None
        if line is None:
            *whole, line = _cut(bar)
            yield from whole
        else:
            line.end = bar.end
            line.bars.append((bar.start, bar.written))
    if line is not None:
        yield line


def _cut(bar: Bar) -> Iterator[Line]:
    start, begins = bar.start, [(bar.start, bar.written)]
    while bar.end - start > LINE_BEATS:
        yield Line(start, start + LINE_BEATS, begins)
        start, begins = start + LINE_BEATS, []
    yield Line(start, bar.end, begins)


def notes_in(line: Line, notes: Sequence[Note]) -> list[tuple[Note, Fraction, Fraction]]:
    """Return the notes that sound in `line`, with the beats at which they begin and end within it."""
    return [
        (note, max(note.onset, line.start), min(note.end, line.end))
        for note in notes
        if note.onset < line.end and note.end > line.start
    ]
