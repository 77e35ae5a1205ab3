"""Notes on a grid as columns and as whole numbers: many at once, where one by one takes a hundred times as long.

A number holds a note's pitch, start and length from the highest bits down, so that in ascending numbers the notes of a
pitch stand together, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.formats.midi.reader import beats
from composer.formats.midi.ticks import in_order
from composer.formats.midi.tracks import MidiFile, Track
from composer.toolkit.representations.quantize import DROPPED, MAX_STEPS, MOVED, SLACK, GridNote, quantize

BITS = 28
"""How many bits of a number there are for a length, and for a start: a hundred times MAX_STEPS."""

TIME = (1 << BITS) - 1
"""The bits of a length."""


class NoteArrays(NamedTuple):
    """Notes on a grid, in any order: whole numbers (n,) of steps, and of MIDI."""

    starts: NDArray[np.int64]
    pitches: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def from_notes(cls, notes: Iterable[GridNote]) -> NoteArrays:
        """`as_notes` in columns."""
        return cls(*np.array(list(notes), np.int64).reshape(-1, 3).T)

    @classmethod
    def from_bytes(cls, numbers: bytes) -> NoteArrays:
        """The columns of `as_numbers`, as bytes, the lowest of each number first."""
        array = np.frombuffer(numbers, "<i8")
        times = array >> BITS
        return cls(times & TIME, times >> BITS, array & TIME)

    def as_numbers(self) -> NDArray[np.int64]:
        """The notes as ascending numbers."""
        numbers = self.pitches << 2 * BITS
        numbers |= self.starts << BITS
        numbers |= self.lengths
        numbers.sort()
        return numbers

    def as_notes(self) -> tuple[GridNote, ...]:
        """The notes one by one, in ascending order."""
        return tuple(sorted(map(GridNote, *(column.tolist() for column in self))))


def numbers_to_bytes(numbers: NDArray[np.int64]) -> bytes:
    """`numbers` for `NoteArrays.from_bytes`."""
    return numbers.astype("<i8", copy=False).tobytes()


def quantize_tracks(
    music: MidiFile, tracks: Sequence[Track], steps: int | Fraction, offgrid: str, lowest: int = 0, highest: int = 127
) -> tuple[NoteArrays, dict[str, int], int]:
    """The notes of some `tracks` from pitch `lowest` to `highest` on a grid, as `quantize` has it, and what was lost.

    The last of the three is how many notes are in the range. Raises OffGrid and NotEncodable.
    """
    notes = music.notes if len(tracks) == len(music.parts) else np.concatenate([track.notes for track in tracks])
    if music.span[0] < lowest or music.span[1] > highest:
        notes = notes[(notes[:, 2] >= lowest) & (notes[:, 2] <= highest)]
    times, parts = steps.as_integer_ratio()
    parts *= music.division
    # starts and ends are taken together, twice as large, so that half a step is a whole number
    doubled = notes.T[:2] * (2 * times)
    nearest = (doubled + parts) // (2 * parts)
    doubled -= nearest * (2 * parts)
    away = np.abs(doubled) > 2 * (parts * SLACK.numerator // SLACK.denominator)
    (first, last), pitches = nearest, notes[:, 2]
    lengths = last - first
    misses, losses = 0, {}
    if np.count_nonzero(away) or np.count_nonzero(lengths) < len(lengths):
        lost = away[0] | away[1] | (lengths < 1)
        misses = int(np.count_nonzero(lost))
        losses = {DROPPED if offgrid == "drop" else MOVED: misses}
        lengths = np.maximum(lengths, 1)
        if offgrid == "drop":
            first, last, pitches, lengths = first[~lost], last[~lost], pitches[~lost], lengths[~lost]
    longest = music.span[2] * times // parts + 1
    endless = longest > MAX_STEPS or (longest * len(notes) > MAX_STEPS and lengths.sum() > MAX_STEPS)
    if (misses and offgrid == "refuse") or endless:
        # the first that is refused is named, and one by one they are found in their order
        found = (note for track in tracks for note in beats(in_order(track.notes), music.division))
        placed, losses = quantize((note for note in found if lowest <= note.pitch <= highest), steps, offgrid)
        return NoteArrays.from_notes(placed), losses, len(notes)
    return NoteArrays(first, pitches, lengths), losses, len(notes)
