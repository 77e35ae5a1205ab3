"""Runs that a melody shares with a collection, by sorting: for repetitive music, where extending matches note by note
takes time that grows with the square of the length.

The notes of collection and melody are sorted together, each by its code, then that of the note before, and so on (a
suffix array of the notes in reverse, built by prefix doubling). The longest run that ends at a note is then shared with
one of its neighbors in this order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from composer.music.contour import NONE, Contour

Numbers = NDArray[np.int64]


class SuffixSearch:
    """The runs of the melody `notes` in the collection `known`, whose notes have `owners`, outside tune `exclude`."""

    def __init__(self, notes: Contour, known: Contour, owners: NDArray[np.int32], exclude: int | None) -> None:
        self._kept = np.arange(len(owners)) if exclude is None else np.flatnonzero(owners != exclude)
        self._count, self._is_known = len(self._kept), len(owners) > 0
        self._intervals = np.concatenate([known.intervals[self._kept], notes.intervals]).astype(np.int64)
        ratios = np.concatenate([known.ratios[self._kept], notes.ratios]).astype(np.int64)
        symbols = 2 * ((self._intervals - NONE) << 9 | (ratios - NONE))
        symbols[self._count :] += ratios[self._count :] == NONE  # a note without rhythm equals none of the collection
        first = self._intervals == NONE
        symbols[first] = -1 - np.arange(np.count_nonzero(first))  # runs end at the first note of a tune
        self._ranks = _ranks(symbols, len(notes.intervals))

    def lengths(self) -> Numbers:
        """Return the length in notes of the longest run that ends at each note of the melody."""
        total = len(self._intervals)
        first = self._intervals[self._count :] == NONE
        if not self._count:
            return np.where(first, int(self._is_known), 1)
        order = np.argsort(self._ranks[-1], kind="stable")
        places = np.arange(total)
        is_known = order < self._count
        before = np.maximum.accumulate(np.where(is_known, places, -1))
        after = np.minimum.accumulate(np.where(is_known, places, total)[::-1])[::-1]
        own = order >= self._count
        at = order[own]
        found = np.zeros(len(at), np.int64)
        for neighbors in (before[own], after[own]):
            exists = (neighbors >= 0) & (neighbors < total)
            found[exists] = np.maximum(found[exists], self._shared(at[exists], order[neighbors[exists]]))
        lengths = np.empty(total - self._count, np.int64)
        lengths[at - self._count] = found
        lengths[first] = 1
        return lengths

    def ends(self, number: int, length: int) -> Numbers:
        """Return where the collection has the run of `length` notes that ends at note `number`, in order."""
        positions = np.arange(self._count)
        shared = self._shared(np.full(self._count, self._count + number), positions)
        ends: Numbers = self._kept[positions[shared >= length]]
        return ends

    def _shared(self, notes: Numbers, others: Numbers) -> Numbers:
        """Return the length of the run, in notes, that ends at each of `notes` and at one of `others`."""
        here, there = notes.copy(), others.copy()
        for level in range(len(self._ranks) - 1, -1, -1):
            ranks = self._ranks[level]
            equal = (here >= 0) & (there >= 0)
            equal[equal] = ranks[here[equal]] == ranks[there[equal]]
            here[equal] -= 1 << level
            there[equal] -= 1 << level
        more = self._intervals[here] == self._intervals[there]  # the rhythm of the first interval is ignored
        lengths: Numbers = 1 + (notes - here) + (more & (self._intervals[here] != NONE))
        return lengths


def _ranks(symbols: Numbers, longest: int) -> list[NDArray[np.int32]]:
    """Return for each level k the rank of the 2**k symbols that end at each place, until they differ or are `longest`.

    What begins before the first symbol differs from all else.
    """
    ranks = [_dense(symbols)]
    while 1 << (len(ranks) - 1) < longest and ranks[-1].max() < len(symbols):
        step, last = 1 << (len(ranks) - 1), ranks[-1].astype(np.int64)
        earlier = np.zeros_like(last)
        earlier[step:] = last[:-step] if step < len(last) else 0
        ranks.append(_dense(last * (len(symbols) + 1) + earlier))
    return ranks


def _dense(values: Numbers) -> NDArray[np.int32]:
    """Return the rank of each value among the distinct ones, from 1."""
    _, numbers = np.unique(values, return_inverse=True)
    return (numbers.reshape(-1) + 1).astype(np.int32)
