"""Voice leading around a kept voice: faults from chord to chord and in the last one, by which particles are weighted.

The faults are those of textbooks of four-part harmony: two voices that move in parallel fifths or octaves, and a last
chord that is not the tonic's. A key that the melody does not end in asks for no chord.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import log
from typing import NamedTuple

from composer.music.keys import has_minor_third, parse_key, pitch_class
from composer.music.parallel_motion import is_parallel
from composer.toolkit.representations.score_labels import LAST_KEY

FAULT = log(0.05)
"""Logarithm of the factor of each fault."""


class Closing(NamedTuple):
    """The last chord: its number of frames from the start, the pitch class of the tonic, and its possible thirds."""

    frame: int
    tonic: int
    thirds: tuple[int, ...]

    @classmethod
    def of(cls, labels: Mapping[str, str], frame: int, last_pitch: int) -> Closing | None:
        """Return the last chord of a tune with these labels, whose kept voice ends with `last_pitch` in `frame`.

        The key is that of the end, if it changes. None if it is unknown or the pitch is not in the tonic chord, which
        in minor may have a major third.
        """
        name = labels.get(LAST_KEY) or labels.get("key")
        key = parse_key(name) if name else None
        if key is None:
            return None
        found = cls(frame, pitch_class(key.tonic), (3, 4) if has_minor_third(key.mode) else (4,))
        return found if (last_pitch - found.tonic) % 12 in (0, *found.thirds, 7) else None

    def faults(self, pitches: Sequence[int]) -> int:
        """Return how many faults a last chord has, its MIDI pitches ascending: its bass, other notes, and no third."""
        degrees = [(pitch - self.tonic) % 12 for pitch in pitches]
        third = [degree for degree in degrees if degree in self.thirds]
        return (degrees[:1] != [0]) + (not {*degrees} <= {0, 7, *third[:1]}) + (not third)


def parallels(before: Sequence[int], after: Sequence[int]) -> int:
    """Return how many pairs of voices move in parallel fifths or octaves between two chords, pitches ascending.

    Voices are counted from the lowest; if one chord has more, only the outer ones are known to be the same.
    """
    if len(before) != len(after):
        before, after = before[:: max(len(before) - 1, 1)], after[:: max(len(after) - 1, 1)]
    moves = [(old, new) for old, new in zip(before, after, strict=False) if old != new]
    pairs = combinations(moves, 2)
    return sum(is_parallel((low, high), (low_now, high_now)) for (low, low_now), (high, high_now) in pairs)


def pitches_of(sounding: int, lowest: int) -> Iterator[int]:
    """Yield the MIDI pitches in a bit set, ascending; the first bit is `lowest`."""
    while sounding:
        bit = sounding & -sounding
        yield lowest + bit.bit_length() - 1
        sounding ^= bit
