"""Notes on a grid as arrays and packed integers, a hundred times as fast as one by one.

An integer packs pitch, start and length, from the highest bits down, so that sorting groups notes by pitch, in order of
time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.formats.midi.beats import beats
from composer.formats.midi.tracks import MidiFile, Track, in_order
from composer.toolkit.representations.quantize import DROPPED, MAX_STEPS, SLACK, GridNote, quantize_voices
from composer.toolkit.representations.rounding import round_notes

__all__ = ["BITS", "TIME", "NoteArrays", "numbers_to_bytes", "quantize_tracks"]

BITS = 28
"""Bits for a length and for a start, enough for a hundred times MAX_STEPS."""

TIME = (1 << BITS) - 1
"""Bit mask of a length."""


class NoteArrays(NamedTuple):
    """Notes on a grid, in any order: arrays (n,) of steps and MIDI pitches."""

    starts: NDArray[np.int64]
    pitches: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def from_notes(cls, notes: Iterable[GridNote]) -> NoteArrays:
        return cls(*np.array(list(notes), np.int64).reshape(-1, 3).T)

    @classmethod
    def from_bytes(cls, numbers: bytes) -> NoteArrays:
        """Return the arrays of `as_numbers` from little-endian bytes."""
        array = np.frombuffer(numbers, "<i8")
        times = array >> BITS
        return cls(times & TIME, times >> BITS, array & TIME)

    def as_numbers(self) -> NDArray[np.int64]:
        """Return the notes as sorted integers."""
        numbers = self.pitches << 2 * BITS
        numbers |= self.starts << BITS
        numbers |= self.lengths
        numbers.sort()
        return numbers

    def as_notes(self) -> tuple[GridNote, ...]:
        """Return the notes one by one, sorted."""
        return tuple(sorted(map(GridNote, *(column.tolist() for column in self))))


def numbers_to_bytes(numbers: NDArray[np.int64]) -> bytes:
    """Return `numbers` as bytes for `NoteArrays.from_bytes`."""
    return numbers.astype("<i8", copy=False).tobytes()


def quantize_tracks(
    music: MidiFile, tracks: Sequence[Track], steps: int | Fraction, offgrid: str, lowest: int = 0, highest: int = 127
) -> tuple[NoteArrays, dict[str, int], int]:
    """Quantize the notes of `tracks` from pitch `lowest` to `highest`, as `quantize_voices` does.

    Returns the notes, losses by phrase, and the number of notes in the range. Raises OffGrid and NotEncodable.
    """
    notes = music.notes if len(tracks) == len(music.parts) else np.concatenate([track.notes for track in tracks])
    in_range = None
    if music.span[0] < lowest or music.span[1] > highest:
        in_range = (notes[:, 2] >= lowest) & (notes[:, 2] <= highest)
        notes = notes[in_range]
    times, unit = steps.as_integer_ratio()
    unit *= music.division
    # starts and ends together, doubled, so that half a step is an integer
    doubled = notes.T[:2] * (2 * times)
    nearest = (doubled + unit) // (2 * unit)
    doubled -= nearest * (2 * unit)
    off_grid = np.abs(doubled) > 2 * (unit * SLACK.numerator // SLACK.denominator)
    (first, last), pitches = nearest, notes[:, 2]
    lengths = last - first
    missed = None
    if np.count_nonzero(off_grid) or np.count_nonzero(lengths) < len(lengths):
        missed = off_grid[0] | off_grid[1] | (lengths < 1)
        lengths = np.maximum(lengths, 1)
        if offgrid == "drop":
            first, last, pitches, lengths = first[~missed], last[~missed], pitches[~missed], lengths[~missed]
    longest = music.span[2] * times // unit + 1
    too_long = longest > MAX_STEPS or (longest * len(notes) > MAX_STEPS and lengths.sum() > MAX_STEPS)
    if (missed is not None and offgrid == "refuse") or too_long:
        # the error names the first such note, which is found one by one
        ordered = (note for track in tracks for note in beats(in_order(track.notes), music.division))
        voice = [note for note in ordered if lowest <= note.pitch <= highest]
        quantized, losses = quantize_voices([voice], steps, offgrid)
        return NoteArrays.from_notes(quantized), losses, len(notes)
    if missed is None:
        return NoteArrays(first, pitches, lengths), {}, len(notes)
    if offgrid == "drop":
        return NoteArrays(first, pitches, lengths), {DROPPED: int(np.count_nonzero(missed))}, len(notes)
    parts = np.arange(len(tracks)).repeat([len(track.notes) for track in tracks])
    starts, ends = notes.T[:2] * times
    rounded = round_notes(starts, ends, pitches, parts if in_range is None else parts[in_range], unit, steps)
    return NoteArrays(rounded.starts, pitches[rounded.kept], rounded.lengths), rounded.losses, len(notes)
