"""Notes on a grid as columns and as whole numbers: many at once, where one by one takes a hundred times as long.

A number holds a note's start, pitch and length from the highest bits down, so that numbers ascend as notes do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.formats.midi import beats
from composer.formats.quantise import DROPPED, MOST_STEPS, MOVED, SLACK, GridNote, quantise
from composer.formats.ticks import ascending

BITS = 28
"""How many bits of a number there are for a length, and for a start: a hundred times MOST_STEPS."""

_PITCH, _START = BITS, BITS + 7
_LENGTH, _PITCHES = (1 << BITS) - 1, 127


class Columns(NamedTuple):
    """Notes on a grid, in any order: whole numbers (n,) of steps, and of MIDI."""

    starts: NDArray[np.int64]
    pitches: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, notes: Iterable[GridNote]) -> Columns:
        """`notes` in columns."""
        return cls(*np.array(list(notes), np.int64).reshape(-1, 3).T)

    @classmethod
    def read(cls, numbers: bytes) -> Columns:
        """What `numbered` wrote."""
        array = np.frombuffer(numbers, "<i8")
        return cls(array >> _START, array >> _PITCH & _PITCHES, array & _LENGTH)

    def numbered(self) -> bytes:
        """The notes in ascending order, as numbers of 64 bits, the lowest byte first."""
        numbers = self.starts << _START | self.pitches << _PITCH | self.lengths
        numbers.sort()
        return numbers.astype("<i8", copy=False).tobytes()

    def notes(self) -> tuple[GridNote, ...]:
        """The notes one by one."""
        return tuple(map(GridNote, *(column.tolist() for column in self)))


def quantised(
    tracks: Sequence[NDArray[np.int64]], division: int, steps: int | Fraction, offgrid: str, lowest: int, highest: int
) -> tuple[Columns, dict[str, int], int]:
    """The notes of `tracks` (n, 4) from pitch `lowest` to `highest` on a grid, as `quantise` has it, and what was lost.

    `division` ticks are a beat. The last of the three is how many notes are in the range. Raises OffGrid and Unfit.
    """
    notes = np.concatenate(tracks)
    pitches = notes[:, 1]
    if pitches.min() < lowest or pitches.max() > highest:
        notes = notes[(pitches >= lowest) & (pitches <= highest)]
    within = len(notes)
    times, parts = steps.as_integer_ratio()
    parts *= division
    edges = np.empty((2, within), np.int64)
    edges[0] = notes[:, 0]
    edges[1] = notes[:, 0] + notes[:, 2]
    edges *= times
    nearest = (2 * edges + parts) // (2 * parts)
    (first, last), pitches, losses = nearest, notes[:, 1], {}
    away = np.abs(edges - nearest * parts) > parts * SLACK.numerator // SLACK.denominator
    refused = False
    if away.any() or (first >= last).any():
        lost = away[0] | away[1] | (first >= last)
        losses = {DROPPED if offgrid == "drop" else MOVED: int(np.count_nonzero(lost))}
        refused = offgrid == "refuse"
        if offgrid == "drop":
            first, last, pitches = first[~lost], last[~lost], pitches[~lost]
    lengths = np.maximum(last - first, 1)
    if refused or lengths.sum() > MOST_STEPS or last.max(initial=0) > MOST_STEPS:
        # the first that is refused is named, and one by one they are found in their order
        found = (note for track in tracks for note in beats(ascending(track), division))
        placed, losses = quantise((note for note in found if lowest <= note.pitch <= highest), steps, offgrid)
        return Columns.of(placed), losses, within
    return Columns(first, pitches, lengths), losses, within
