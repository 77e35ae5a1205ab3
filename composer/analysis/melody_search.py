"""Search a collection for the longest run that a melody shares with it, note by note.

A run of n notes is shared if its n - 1 intervals are equal, and the n - 1 times between its notes up to a factor (see
`composer.music.contour`). A note is looked up together with the few before it in a sorted array of these groups, and
matches are then extended note by note. Lengths are exact, from two notes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from composer.analysis.suffix_search import SuffixSearch
from composer.music.contour import NONE, Contour, MelodyCollection

Positions = NDArray[np.int64]
"""Note numbers in the concatenation of all melodies."""

_Numbers = TypeVar("_Numbers", int, NDArray[np.int64])

MAX_EFFORT_PER_NOTE = 64
"""Sorting all notes takes about as many steps as this for each."""

_NO_POSITIONS: Positions = np.empty(0, np.int64)
_KEY_BITS = 62


@dataclass(frozen=True, eq=False)
class MelodyIndex:
    """A searchable index of melodies."""

    melodies: MelodyCollection

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """The tune number of each note."""
        counts = [tune.notes for tune in self.melodies.tunes]
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def code(self, interval: int, ratio: int) -> int:
        """Return the code of a note, or 0 if no melody has such a note."""
        return self._numbers.get(_pair(interval, ratio), 0)

    def continuations(self, positions: Positions, code: int) -> Positions:
        """Return the notes right after `positions` that have this `code`."""
        after = positions + 1
        found: Positions = after[self._codes[after] == code]
        return found

    def longest_suffix(self, codes: Sequence[int], exclude: int | None = None) -> tuple[int, Positions]:
        """Return the length of the longest suffix of `codes` that occurs, and where it ends, outside tune `exclude`.

        Only the last code may be 0.
        """
        length, ends = 0, _NO_POSITIONS
        for length in range(min(self._group, len(codes)), 0, -1):
            ends = self._look_up(codes[-length:], exclude)
            if len(ends):
                break
        else:
            return 0, ends
        while self._group <= length < len(codes):
            longer = ends[self._codes[ends - length] == codes[-1 - length]]
            if not len(longer):
                break
            length, ends = length + 1, longer
        return length, ends

    def with_interval(self, positions: Positions, interval: int) -> Positions:
        """Return those of `positions` whose interval from the note before is `interval`."""
        found: Positions = positions[self.melodies.notes.intervals[positions] == interval]
        return found

    def has_interval(self, interval: int, exclude: int | None = None) -> bool:
        """Return True if any note outside tune `exclude` has this `interval`."""
        begin, end = (0, 0) if exclude is None else self.melodies.firsts[exclude : exclude + 2]
        own = np.count_nonzero(self.melodies.notes.intervals[begin:end] == interval)
        return int(self._interval_counts[interval - NONE]) > int(own)

    def with_interval_anywhere(self, interval: int, exclude: int | None = None) -> Positions:
        """Return all notes with this `interval` outside tune `exclude`."""
        return self._excluding(np.flatnonzero(self.melodies.notes.intervals == interval), exclude)

    def _look_up(self, codes: Sequence[int], exclude: int | None) -> Positions:
        """Return where at most `_group` consecutive codes end."""
        if not codes[-1]:
            return _NO_POSITIONS
        keys, order = self._sorted
        prefix = 0
        for code in reversed(codes):
            prefix = prefix << self._bits | code
        shift = self._bits * (self._group - len(codes))
        begin, end = np.searchsorted(keys, np.array([prefix << shift, (prefix + 1) << shift]))
        return self._excluding(order[begin:end], exclude)

    def _excluding(self, positions: Positions, exclude: int | None) -> Positions:
        return positions if exclude is None else positions[self.owners[positions] != exclude]

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Distinct pairs of interval and ratio, and the pair number of each note."""
        intervals, ratios, _ = self.melodies.notes
        values, numbers = np.unique(_pair(intervals.astype(np.int64), ratios.astype(np.int64)), return_inverse=True)
        return values, numbers.reshape(-1)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {value: number for number, value in enumerate(self._pairs[0].tolist(), 1)}

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        """The code of each note, and a final -1, so that every note has a next one."""
        return np.append(self._pairs[1] + 1, -1)

    @cached_property
    def _interval_counts(self) -> NDArray[np.int64]:
        """Number of notes per interval."""
        return np.bincount(self.melodies.notes.intervals.astype(np.int64) - NONE, minlength=-2 * NONE)

    @cached_property
    def _bits(self) -> int:
        """Bits per code."""
        return max(1, len(self._pairs[0]).bit_length())

    @cached_property
    def _group(self) -> int:
        """Notes per key."""
        return _KEY_BITS // self._bits

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], Positions]:
        """Keys in ascending order, and their notes; the note's own code is in the highest bits, earlier ones below."""
        codes = self._codes[:-1]
        keys = np.zeros(len(codes), np.int64)
        for back in range(min(self._group, len(codes))):
            keys[back:] |= codes[: len(codes) - back] << self._bits * (self._group - 1 - back)
        order = np.argsort(keys)
        return keys[order], order


@dataclass(frozen=True, slots=True, eq=False)
class SharedRunState:
    """The longest run at the end of a melody that tunes other than `exclude` share; immutable. `length` is in notes."""

    index: MelodyIndex
    exclude: int | None = None
    length: int = 0
    _codes: tuple[int, ...] = ()
    """Codes of the last notes that match in interval and rhythm."""
    _positions: Positions = field(default_factory=lambda: _NO_POSITIONS, repr=False)
    """Where they end in the index."""
    _intervals: tuple[int, ...] = ()
    """Intervals of the same notes, and of the one before them, whose rhythm may differ."""

    def after(self, interval: int, ratio: int) -> SharedRunState:
        """Return the state after one more note; NONE stands for the interval or ratio that the first notes lack."""
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

    @property
    def effort(self) -> int:
        """About the number of elementary steps that the last note took."""
        return len(self._positions) * (1 + len(self._codes) // 16) + len(self._codes)

    def positions(self) -> Positions:
        """Return where such a run ends, in order; empty for a single note."""
        if self.length < 2:
            return _NO_POSITIONS
        found = self.length - 2  # the rhythm of the first interval is ignored: it depends on the note before
        if not found:
            return self.index.with_interval_anywhere(self._intervals[-1], self.exclude)
        _, ends = self.index.longest_suffix(self._codes[-found:], self.exclude)
        return np.sort(self.index.with_interval(ends - found, self._intervals[-1 - found]) + found)


@dataclass(frozen=True, slots=True, eq=False)
class SharedRuns:
    """The runs of a melody: the length in notes of the longest one that ends at each of its notes.

    `ends_of_longest` returns where the first longest one ends in the index, in order; empty if it has no two notes.
    """

    lengths: NDArray[np.int64]
    ends_of_longest: Callable[[], Positions]

    @classmethod
    def of(cls, notes: Contour, index: MelodyIndex, exclude: int | None = None) -> SharedRuns:
        """Return the runs of `notes`, ignoring tune `exclude`: note by note, or by sorting if that is faster."""
        lengths = np.zeros(len(notes.intervals), np.int64)
        run = best = SharedRunState(index, exclude)
        effort, max_effort = 0, MAX_EFFORT_PER_NOTE * (len(lengths) + len(index.owners))
        for number, (interval, rhythm) in enumerate(zip(notes.intervals.tolist(), notes.ratios.tolist(), strict=True)):
            run = run.after(interval, rhythm)
            lengths[number] = run.length
            if run.length > best.length:
                best = run
            effort += run.effort
            if effort > max_effort:
                return cls._by_sorting(notes, index, exclude)
        return cls(lengths, best.positions)

    @classmethod
    def _by_sorting(cls, notes: Contour, index: MelodyIndex, exclude: int | None) -> SharedRuns:
        search = SuffixSearch(notes, index.melodies.notes, index.owners, exclude)
        lengths = search.lengths()
        last = int(np.argmax(lengths))
        longest = int(lengths[last])
        return cls(lengths, lambda: search.ends(last, longest) if longest > 1 else _NO_POSITIONS)


def _pair(interval: _Numbers, ratio: _Numbers) -> _Numbers:
    """Return a number for each pair."""
    return (interval - NONE) << 8 | (ratio - NONE)
