"""Runs of notes that a melody shares with those of a collection, found while it goes on, note by note.

A run of n notes is shared where its n - 1 intervals are the same, and the n - 1 times between its notes up to a factor
(see `composer.music.contour`). A note is looked up together with the few before it, in a sorted array of such groups of
all melodies; what is found is then followed from note to note. Lengths are exact, from two notes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from composer.music.contour import NONE, MelodyCollection

__all__ = ["MelodyIndex", "Positions", "SharedRunState"]

Positions = NDArray[np.int64]
"""Numbers of notes, as they stand in all melodies one after the other."""

_Numbers = TypeVar("_Numbers", int, NDArray[np.int64])

_NO_POSITIONS: Positions = np.empty(0, np.int64)
_KEY_BITS = 62


@dataclass(frozen=True, eq=False)
class MelodyIndex:
    """Melodies, ready to be searched."""

    melodies: MelodyCollection

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """The number of the tune that each note is of."""
        counts = [tune.notes for tune in self.melodies.tunes]
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def code(self, interval: int, ratio: int) -> int:
        """The number that stands for a note; 0 where no melody has such a note."""
        return self._numbers.get(_pair(interval, ratio), 0)

    def continuations(self, places: Positions, code: int) -> Positions:
        """Of the notes that come next after `places`, those of this `code`."""
        after = places + 1
        found: Positions = after[self._codes[after] == code]
        return found

    def longest_suffix(self, codes: Sequence[int], exclude: int | None = None) -> tuple[int, Positions]:
        """How many of the last `codes` are found in a row, and all places of the last of them; none in tune `exclude`.

        Of the codes, only the last may be 0.
        """
        length, places = 0, _NO_POSITIONS
        for length in range(min(self._group, len(codes)), 0, -1):
            places = self._look_up(codes[-length:], exclude)
            if len(places):
                break
        else:
            return 0, places
        while self._group <= length < len(codes):
            longer = places[self._codes[places - length] == codes[-1 - length]]
            if not len(longer):
                break
            length, places = length + 1, longer
        return length, places

    def with_interval(self, places: Positions, interval: int) -> Positions:
        """Those of `places` whose notes follow at this `interval`."""
        found: Positions = places[self.melodies.notes.intervals[places] == interval]
        return found

    def has_interval(self, interval: int, exclude: int | None = None) -> bool:
        """Whether any note follows at this `interval`, but for those of tune `exclude`."""
        begin, end = (0, 0) if exclude is None else self.melodies.firsts[exclude : exclude + 2]
        own = np.count_nonzero(self.melodies.notes.intervals[begin:end] == interval)
        return int(self._interval_counts[interval - NONE]) > int(own)

    def with_interval_anywhere(self, interval: int, exclude: int | None = None) -> Positions:
        """All notes that follow at this `interval`; none in tune `exclude`."""
        return self._excluding(np.flatnonzero(self.melodies.notes.intervals == interval), exclude)

    def _look_up(self, codes: Sequence[int], exclude: int | None) -> Positions:
        """All places of the last of at most `_group` codes in a row."""
        if not codes[-1]:
            return _NO_POSITIONS
        keys, order = self._sorted
        least = 0
        for code in reversed(codes):
            least = least << self._bits | code
        left = self._bits * (self._group - len(codes))
        begin, end = np.searchsorted(keys, np.array([least << left, (least + 1) << left]))
        return self._excluding(order[begin:end], exclude)

    def _excluding(self, places: Positions, exclude: int | None) -> Positions:
        return places if exclude is None else places[self.owners[places] != exclude]

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs of interval and ratio that there are, and which of them each note is."""
        intervals, ratios, _ = self.melodies.notes
        values, which = np.unique(_pair(intervals.astype(np.int64), ratios.astype(np.int64)), return_inverse=True)
        return values, which.reshape(-1)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {value: number for number, value in enumerate(self._pairs[0].tolist(), 1)}

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        """The code of each note, and one that no note has, so that there is always a next one."""
        return np.append(self._pairs[1] + 1, -1)

    @cached_property
    def _interval_counts(self) -> NDArray[np.int64]:
        """How often there is each interval."""
        return np.bincount(self.melodies.notes.intervals.astype(np.int64) - NONE, minlength=-2 * NONE)

    @cached_property
    def _bits(self) -> int:
        """How many bits a code takes."""
        return max(1, len(self._pairs[0]).bit_length())

    @cached_property
    def _group(self) -> int:
        """How many notes are looked up together."""
        return _KEY_BITS // self._bits

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], Positions]:
        """Keys in ascending order, and the note of each: its own code in the highest bits, below it those before it."""
        codes = self._codes[:-1]
        keys = np.zeros(len(codes), np.int64)
        for back in range(min(self._group, len(codes))):
            keys[back:] |= codes[: len(codes) - back] << self._bits * (self._group - 1 - back)
        order = np.argsort(keys)
        return keys[order], order


@dataclass(frozen=True, slots=True, eq=False)
class SharedRunState:
    """The longest run of known notes that a melody ends with. Immutable, so that notes can be tried.

    `length` is in notes. Tune `exclude` is passed over.
    """

    index: MelodyIndex
    exclude: int | None = None
    length: int = 0
    _codes: tuple[int, ...] = ()
    """Those of the last notes that are found in a row with interval and rhythm."""
    _positions: Positions = field(default_factory=lambda: _NO_POSITIONS, repr=False)
    """Where the last of them is."""
    _intervals: tuple[int, ...] = ()
    """Those of the same notes and of the one before them, of which the rhythm differs or nothing is known."""

    def after(self, interval: int, ratio: int) -> SharedRunState:
        """The run once the melody has gone on with this note; NONE for what its first notes do not have."""
        index = self.index
        if interval == NONE:
            return SharedRunState(index, self.exclude, int(len(index.owners) > 0))
        codes = (*self._codes, 0 if ratio == NONE else index.code(interval, ratio))
        found, ends = len(codes), index.continuations(self._positions, codes[-1])
        if not len(ends):
            found, ends = index.longest_suffix(codes, self.exclude)
        intervals = (*self._intervals, interval)[-1 - found :]
        if found:
            length = 1 + found + (len(index.with_interval(ends - found, intervals[0])) > 0)
        else:
            length = 1 + index.has_interval(interval, self.exclude)
        return SharedRunState(index, self.exclude, length, codes[len(codes) - found :], ends, intervals)

    def positions(self) -> Positions:
        """All places where such a run ends, in order; none where it is a single note."""
        if self.length < 2:
            return _NO_POSITIONS
        found = self.length - 2  # of the first interval the rhythm does not matter, as it depends on a note before
        if not found:
            return self.index.with_interval_anywhere(self._intervals[-1], self.exclude)
        _, ends = self.index.longest_suffix(self._codes[-found:], self.exclude)
        return np.sort(self.index.with_interval(ends - found, self._intervals[-1 - found]) + found)


def _pair(interval: _Numbers, ratio: _Numbers) -> _Numbers:
    """A number for each pair."""
    return (interval - NONE) << 8 | (ratio - NONE)
