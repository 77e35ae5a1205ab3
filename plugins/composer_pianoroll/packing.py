"""Rolls as arrays: notes of which no two of a pitch sound at a time, and frames as packed bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from composer.formats.gridded import TRANSPOSITIONS
from composer.formats.numbered import BITS, Columns
from composer_pianoroll.frames import CUT, JOINED, Layout, Roll

_TIME = (1 << BITS) - 1


def merged(notes: Columns, *, repeats: bool) -> tuple[Columns, dict[str, int]]:
    """`notes` such that no pitch sounds twice at a time, and what that costs, counted by phrase.

    Of notes struck together the longest stays, and a note ends where the next of its pitch is struck. Where a roll has
    no `repeats`, notes of a pitch that touch are one.
    """
    keys = notes.pitches << 2 * BITS | notes.starts << BITS | notes.lengths
    keys.sort()
    # from here on a pitch is a far stretch of time, so that what is next of another pitch is far away
    starts, lengths = keys >> BITS, keys & _TIME
    cut = 0
    if repeats:
        room = starts[1:] - starts[:-1]
        if not room.all():
            longest = np.append(room > 0, True)
            starts, lengths = starts[longest], lengths[longest]
            room = starts[1:] - starts[:-1]
        cut = int(np.count_nonzero(lengths[:-1] > room))
        np.minimum(lengths[:-1], room, out=lengths[:-1])
    else:
        reached = np.maximum.accumulate(starts + lengths)
        apart = starts[1:] > reached[:-1]
        starts = starts[np.append(True, apart)]
        lengths = reached[np.append(apart, True)] - starts
    losses = {CUT: cut, JOINED: len(keys) - len(starts)}
    found = Columns(starts & _TIME, starts >> BITS, lengths)
    return found, {phrase: count for phrase, count in losses.items() if count}


def transposed(layout: Layout, roll: Roll) -> Iterator[tuple[int, Roll]]:
    """`roll` in the other keys that stay in the range, each after its semitones."""
    starts, pitches, lengths = Columns.read(roll.numbers)
    lowest, highest = int(pitches.min(initial=layout.highest)), int(pitches.max(initial=layout.lowest))
    for shift in TRANSPOSITIONS:
        if layout.lowest <= lowest + shift and highest + shift <= layout.highest:
            yield shift, Roll(roll.steps, Columns(starts, pitches + shift, lengths).numbered())


def packed(layout: Layout, roll: Roll) -> bytes:
    """`roll` as `Layout.frames` has it, in packed bits, unit 0 of each frame first."""
    starts, pitches, lengths = Columns.read(roll.numbers)
    frames = np.zeros((-(-roll.steps // layout.stack), layout.size), np.uint8)
    units = frames.reshape(-1)
    first = starts * layout.stride + (pitches - layout.lowest)
    if layout.onsets:
        units[first] = 1
        first += layout.stride + layout.width
        lengths = lengths - 1
    before = np.cumsum(lengths) - lengths
    held = np.arange(lengths.sum()) * layout.stride
    held += np.repeat(first - before * layout.stride, lengths)
    units[held] = 1
    # rows of whole bytes can be packed as one, in half the time
    return np.packbits(frames, axis=1 if layout.size % 8 else None).tobytes()
