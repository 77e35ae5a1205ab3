"""Sketch notes in a few lines: pitches that share a line show the contour where a piano roll has no room."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Score
from composer.music.sounding import sounding_parts, with_drum_rows

_BLOCKS = {(True, False): "▀", (False, True): "▄", (True, True): "█"}
_ASCII = str.maketrans("▀▄█", "###")


def sketch(score: Score, width: int, max_rows: int, *, ascii_only: bool = False) -> list[str]:
    """Return at most `max_rows` lines of `width` columns for the whole of `score`; none if it is silent.

    A line shows two rows of pitches: each row has one pitch if the lines suffice, else several.
    """
    parts, _ = with_drum_rows(sounding_parts(score))
    notes = [note for part in parts for note in part.notes]
    if not notes or not score.duration:
        return []
    highest = max(note.pitch for note in notes)
    range_ = highest - min(note.pitch for note in notes) + 1
    per_row = -(-range_ // (2 * max_rows))
    rows = -(-range_ // per_row)
    cell, marked = Fraction(score.duration) / width, set[tuple[int, int]]()
    for note in notes:
        begin = int(note.onset / cell)
        # a free column before the next note tells repeated notes from long ones
        end = max(int(note.end / cell) - 1, begin + 1)
        marked.update((column, (highest - note.pitch) // per_row) for column in range(begin, end))
    lines = (
        "".join(_BLOCKS.get(((column, row) in marked, (column, row + 1) in marked), " ") for column in range(width))
        for row in range(0, rows, 2)
    )
    return [line.rstrip().translate(_ASCII) if ascii_only else line.rstrip() for line in lines]
