"""Melodies as arrays: extract the top voice, and write it as tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from composer.toolkit.representations.note_arrays import BITS, TIME, NoteArrays
from composer_grid.tokens import HOLD, REST

UNDER_MELODY, CUT_SHORT = "notes below the melody skipped", "notes cut short by a higher one"

_PITCHES = 128
_SYMBOLS = np.array([*map(str, range(_PITCHES)), HOLD, REST], object)


def skyline(notes: NoteArrays) -> tuple[NoteArrays, dict[str, int]]:
    """Return the top voice of `notes`, sorted, and the losses, counted by phrase.

    Of simultaneous onsets, the highest stays. A note ends when a higher one starts; a note that starts below a sounding
    one is accompaniment and left out.
    """
    # of simultaneous onsets, the highest and then the longest has the lowest number
    numbers = (notes.starts << 8 | _PITCHES - notes.pitches) << BITS | TIME - notes.lengths
    numbers.sort()
    starts = numbers >> BITS
    ordered = NoteArrays(starts >> 8, _PITCHES - (starts & 0xFF), TIME - (numbers & TIME))
    ends = ordered.starts + ordered.lengths
    if not np.count_nonzero(ordered.starts[1:] < ends[:-1]):
        return ordered, {UNDER_MELODY: 0, CUT_SHORT: 0}
    melody: list[list[int]] = []
    cut = 0
    for start, pitch, length in zip(*(column.tolist() for column in ordered), strict=True):
        if melody and start < melody[-1][0] + melody[-1][2]:
            if start == melody[-1][0] or pitch < melody[-1][1]:
                continue
            melody[-1][2] = start - melody[-1][0]
            cut += 1
        melody.append([start, pitch, length])
    return NoteArrays(*np.array(melody, np.int64).T), {UNDER_MELODY: len(ends) - len(melody), CUT_SHORT: cut}


def as_tokens(notes: NoteArrays) -> tuple[str, ...]:
    """Write sorted `notes`, without overlaps and with valid MIDI pitches, as tokens."""
    if not len(notes.starts):
        return ()
    ends = notes.starts + notes.lengths
    symbols = np.full(int(ends[-1]), _PITCHES, np.int64)
    symbols[ends[:-1]] = _PITCHES + 1
    symbols[0] = _PITCHES + 1
    symbols[notes.starts] = notes.pitches
    return tuple(_SYMBOLS[symbols].tolist())


def sounding_time(notes: NDArray[np.int64]) -> int:
    """Return the number of ticks in which at least one of `notes` (n, 4) sounds."""
    starts, ends = notes[:, 0], notes[:, 1]
    if not np.count_nonzero(starts[1:] < ends[:-1]):  # no overlaps
        return int(np.add.reduce(ends) - np.add.reduce(starts))
    spans = notes[:, 0] << 32 | notes[:, 1]
    spans.sort()
    starts, ends = spans >> 32, spans & 0xFFFFFFFF
    np.maximum(starts[1:], np.maximum.accumulate(ends)[:-1], out=starts[1:])
    return int(np.add.reduce(np.maximum(ends - starts, 0)))
