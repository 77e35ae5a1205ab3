"""Rolls as arrays: notes of which no two of a pitch sound at a time, and frames as packed bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from composer.toolkit.representations.note_arrays import BITS, TIME, NoteArrays, numbers_to_bytes
from composer.toolkit.representations.score_parts import TRANSPOSITIONS
from composer_pianoroll.frames import CUT_SHORT, NOTES_JOINED, Layout, Roll


def without_overlaps(notes: NoteArrays, *, repeats: bool) -> tuple[Roll, dict[str, int]]:
    """`notes` such that no pitch sounds twice at a time, and what that costs, counted by phrase.

    Of notes struck together the longest stays, and a note ends where the next of its pitch is struck. Where a roll has
    no `repeats`, notes of a pitch that touch are one.
    """
    numbers = notes.as_numbers()
    # a pitch is so far a stretch of time here that what comes next of another pitch is beyond every note's end
    starts, lengths = numbers >> BITS, numbers & TIME
    cut = 0
    if repeats:
        room = starts[1:] - starts[:-1]
        if np.count_nonzero(room) < len(room):
            longest = np.append(room > 0, True)
            starts, lengths = starts[longest], lengths[longest]
            room = starts[1:] - starts[:-1]
        cut = int(np.count_nonzero(lengths[:-1] > room))
        if cut:
            np.minimum(lengths[:-1], room, out=lengths[:-1])
    else:
        reached = np.maximum.accumulate(starts + lengths)
        apart = starts[1:] > reached[:-1]
        starts = starts[np.append(True, apart)]
        lengths = reached[np.append(apart, True)] - starts
    losses = {CUT_SHORT: cut, NOTES_JOINED: len(numbers) - len(starts)}
    ends = (starts & TIME) + lengths
    roll = Roll(int(np.maximum.reduce(ends)), numbers_to_bytes(starts << BITS | lengths))
    return roll, {phrase: count for phrase, count in losses.items() if count}


def transposed(layout: Layout, roll: Roll) -> Iterator[tuple[int, Roll]]:
    """`roll` in the other keys that stay in the range, each after its semitones."""
    numbers = np.frombuffer(roll.numbers, "<i8")
    pitches = (numbers >> 2 * BITS).tolist()
    lowest, highest = (pitches[0], pitches[-1]) if pitches else (layout.highest, layout.lowest)
    for shift in TRANSPOSITIONS:
        if layout.lowest <= lowest + shift and highest + shift <= layout.highest:
            yield shift, Roll(roll.steps, numbers_to_bytes(numbers + (shift << 2 * BITS)))


def pack_frames(layout: Layout, roll: Roll) -> bytes:
    """`roll` as `Layout.frames` has it, in packed bits, unit 0 of each frame first."""
    starts, pitches, lengths = NoteArrays.from_bytes(roll.numbers)
    rows, size, stride = -(-roll.steps // layout.stack), layout.size, layout.units_per_step
    units = np.zeros(rows * size, np.uint8)
    first = starts * stride
    first += pitches - layout.lowest
    if layout.onsets:
        units[first] = 1
        first += stride + layout.pitch_count
        lengths -= 1
    # note by note, each step that goes on: the first of them, and a stride more for each that follows
    ends = lengths.cumsum()
    first -= (ends - lengths) * stride
    held = np.arange(0, int(np.add.reduce(lengths)) * stride, stride)
    held += first.repeat(lengths)
    units[held] = 1
    # rows of whole bytes can be packed as one, in half the time
    frames = units.reshape(rows, size) if size % 8 else units
    return np.packbits(frames, axis=-1).tobytes()
