"""Melodies in arrays: the top voice of notes on a grid, and the tokens that it is written with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from composer.toolkit.representations.note_arrays import BITS, TIME, NoteArrays
from composer_grid.tokens import HOLD, REST

UNDER_MELODY, CUT_SHORT = "notes under the melody left out", "notes cut short by a higher one"

_PITCHES = 128
_SYMBOLS = np.array([*map(str, range(_PITCHES)), HOLD, REST], object)


def skyline(notes: NoteArrays) -> tuple[NoteArrays, dict[str, int]]:
    """The top voice of `notes`, in ascending order, and what of the others it costs, counted by phrase.

    Of notes struck together the highest stays; a note ends where a higher one begins, and one that begins under a
    higher one is left out. A lower note struck as a higher one sounds on is part of the accompaniment.
    """
    # the higher and the longer a note, the lower its number among those struck with it
    numbers = (notes.starts << 8 | _PITCHES - notes.pitches) << BITS | TIME - notes.lengths
    numbers.sort()
    starts = numbers >> BITS
    ordered = NoteArrays(starts >> 8, _PITCHES - (starts & 0xFF), TIME - (numbers & TIME))
    ends = ordered.starts + ordered.lengths
    if not np.count_nonzero(ordered.starts[1:] < ends[:-1]):
        return ordered, {UNDER_MELODY: 0, CUT_SHORT: 0}
    line: list[list[int]] = []
    cut = 0
    for start, pitch, length in zip(*(column.tolist() for column in ordered), strict=True):
        if line and start < line[-1][0] + line[-1][2]:
            if start == line[-1][0] or pitch < line[-1][1]:
                continue
            line[-1][2] = start - line[-1][0]
            cut += 1
        line.append([start, pitch, length])
    return NoteArrays(*np.array(line, np.int64).T), {UNDER_MELODY: len(ends) - len(line), CUT_SHORT: cut}


def as_tokens(notes: NoteArrays) -> tuple[str, ...]:
    """Notes one after another as tokens. None may begin before the one before it ends, nor be out of MIDI's pitches."""
    if not len(notes.starts):
        return ()
    ends = notes.starts + notes.lengths
    symbols = np.full(int(ends[-1]), _PITCHES, np.int64)
    symbols[ends[:-1]] = _PITCHES + 1
    symbols[0] = _PITCHES + 1
    symbols[notes.starts] = notes.pitches
    return tuple(_SYMBOLS[symbols].tolist())


def sounding_time(notes: NDArray[np.int64]) -> int:
    """For how many ticks one of `notes` (n, 4) sounds at least."""
    starts, ends = notes[:, 0], notes[:, 1]
    if not np.count_nonzero(starts[1:] < ends[:-1]):  # one after another
        return int(np.add.reduce(ends) - np.add.reduce(starts))
    spans = notes[:, 0] << 32 | notes[:, 1]
    spans.sort()
    starts, ends = spans >> 32, spans & 0xFFFFFFFF
    np.maximum(starts[1:], np.maximum.accumulate(ends)[:-1], out=starts[1:])
    return int(np.add.reduce(np.maximum(ends - starts, 0)))
