"""Rolls as arrays: remove overlaps, transpose, and pack frames as bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from composer.toolkit.representations.note_arrays import BITS, TIME, NoteArrays, numbers_to_bytes
from composer.toolkit.representations.score_parts import TRANSPOSITIONS
from composer_pianoroll.frames import CUT_SHORT, NOTES_JOINED, Layout, Roll


def without_overlaps(notes: NoteArrays, *, repeats: bool) -> tuple[Roll, dict[str, int]]:
    """Return `notes` without overlaps within a pitch, and the losses, counted by phrase.

    Of simultaneous onsets of a pitch the longest stays; a note ends when the next of its pitch starts. Without
    `repeats`, adjacent notes of a pitch merge.
    """
    numbers = notes.as_numbers()
    # pitches are in the high bits, so that notes of different pitches never overlap
    starts, lengths = numbers >> BITS, numbers & TIME
    cut = 0
    if repeats:
        gaps = starts[1:] - starts[:-1]
        if np.count_nonzero(gaps) < len(gaps):
            longest = np.append(gaps > 0, True)
            starts, lengths = starts[longest], lengths[longest]
            gaps = starts[1:] - starts[:-1]
        cut = int(np.count_nonzero(lengths[:-1] > gaps))
        if cut:
            np.minimum(lengths[:-1], gaps, out=lengths[:-1])
    else:
        latest_ends = np.maximum.accumulate(starts + lengths)
        separate = starts[1:] > latest_ends[:-1]
        starts = starts[np.append(True, separate)]
        lengths = latest_ends[np.append(separate, True)] - starts
    losses = {CUT_SHORT: cut, NOTES_JOINED: len(numbers) - len(starts)}
    ends = (starts & TIME) + lengths
    roll = Roll(int(np.maximum.reduce(ends)), numbers_to_bytes(starts << BITS | lengths))
    return roll, {phrase: count for phrase, count in losses.items() if count}


def transposed(layout: Layout, roll: Roll) -> Iterator[tuple[int, Roll]]:
    """Yield transpositions of `roll` within the range, each with its semitones."""
    numbers = np.frombuffer(roll.numbers, "<i8")
    pitches = (numbers >> 2 * BITS).tolist()
    lowest, highest = (pitches[0], pitches[-1]) if pitches else (layout.highest, layout.lowest)
    for shift in TRANSPOSITIONS:
        if layout.lowest <= lowest + shift and highest + shift <= layout.highest:
            yield shift, Roll(roll.steps, numbers_to_bytes(numbers + (shift << 2 * BITS)))


def pack_frames(layout: Layout, roll: Roll) -> bytes:
    """Return the frames of `roll` as packed bits, unit 0 of each frame first."""
    starts, pitches, lengths = NoteArrays.from_bytes(roll.numbers)
    rows, size, stride = -(-roll.steps // layout.stack), layout.size, layout.units_per_step
    units = np.zeros(rows * size, np.uint8)
    first = starts * stride
    first += pitches - layout.lowest
    if layout.onsets:
        units[first] = 1
        first += stride + layout.pitch_count
        lengths -= 1
    # the hold units of each note: the first, and one more stride for each further step
    ends = lengths.cumsum()
    first -= (ends - lengths) * stride
    held = np.arange(0, int(np.add.reduce(lengths)) * stride, stride)
    held += first.repeat(lengths)
    units[held] = 1
    # rows of whole bytes can be packed at once, in half the time
    frames = units.reshape(rows, size) if size % 8 else units
    return np.packbits(frames, axis=-1).tobytes()
