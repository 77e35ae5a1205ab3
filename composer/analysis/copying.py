"""What a piece copies: the longest run of notes that its melody shares with the tunes a model was taught.

index = Index(training_melodies(path) or melodies_of(pieces, representation))
match = longest_run(score, index)               # Match(notes=23, tune=MelodySource("The Hare", ...), bar=5, ...)

copying = Copying(index, most=16)               # follows a piece while it is composed
for onset, pitch in line:
    after = copying.after(onset, pitch)
    if after.exceeds:                           # a note too many: choose another, or begin anew
        ...
    copying = after
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from composer.analysis.melody_search import MelodyIndex, SharedRunState
from composer.api import Score
from composer.music.contour import NONE, Contour, MelodySource, contour, ratio
from composer.music.melody import TICKS_PER_BEAT, Onset, top_line

__all__ = [
    "COPIED",
    "Copying",
    "Match",
    "MelodyIndex",
    "copied",
    "longest_run",
    "longest_run_of",
]

COPIED = 16
"""Tunes that have so many notes in a row in common are seldom so by chance."""

RECOGNISED = 8
"""A primer of so many notes is known again where it returns later in its piece, as it does in a repeat."""


@dataclass(frozen=True, slots=True)
class Match:
    """A run of `notes` notes that a melody shares with `tune`, and with as many tunes as `tunes` says in all.

    It begins with the `note`-th note of the tune, in its bar `bar`, and with the `at`-th of the melody, in its bar
    `at_bar`. Notes are counted from 1, and bars as `composer.music.bars` does, both as they are played.
    """

    notes: int
    tune: MelodySource
    note: int
    bar: int
    at: int
    at_bar: int
    tunes: int = 1


def longest_run(score: Score, index: MelodyIndex, but: int | None = None) -> Match | None:
    """The longest run of the melody of `score`, the first of several; None where no two notes are shared.

    The tune of number `but`, which may be the one that `score` was made of, is passed over.
    """
    notes = contour(score)
    return None if notes is None else longest_run_of(notes, index, but)


def longest_run_of(notes: Contour, index: MelodyIndex, but: int | None = None) -> Match | None:
    """The same of a melody."""
    run, best, last = SharedRunState(index, but), SharedRunState(index, but), 0
    for number, (interval, rhythm) in enumerate(zip(notes.intervals.tolist(), notes.ratios.tolist(), strict=True)):
        run = run.after(interval, rhythm)
        if run.length > best.length:
            best, last = run, number
    ends = best.positions()
    if not len(ends):
        return None
    owners, at, begin = index.owners[ends], 1 + last - best.length, 1 + int(ends[0]) - best.length
    melodies, own = index.melodies, int(owners[0])
    note = begin - int(melodies.firsts[own])
    return Match(
        best.length, melodies.tunes[own], 1 + note, int(melodies.notes.bars[begin]),
        1 + at, int(notes.bars[at]), len(np.unique(owners)),
    )  # fmt: skip


def copied(score: Score, index: MelodyIndex, primer: Score | None = None) -> int:
    """How many notes in a row the melody of `score` shares with one tune, those of its `primer` not counted."""
    notes = contour(score)
    if notes is None:
        return 0
    given = set() if primer is None else _given(top_line(score), top_line(primer))
    run, own, longest = SharedRunState(index), 0, 0
    for number, (interval, rhythm) in enumerate(zip(notes.intervals.tolist(), notes.ratios.tolist(), strict=True)):
        run, own = run.after(interval, rhythm), 0 if number in given else own + 1
        longest = max(longest, min(own, run.length))
    return longest


def _given(line: Sequence[Onset], primer: Sequence[Onset]) -> set[int]:
    """The numbers of the notes of `line` that are its primer's: at its beginning, and wherever all of that returns."""
    same = 0
    while same < min(len(line), len(primer)) and line[same] == primer[same]:
        same += 1
    given = set(range(same))
    if same < RECOGNISED:
        return given
    opening = [_since(note, line[0]) for note in line[:same]]
    for first in range(same, len(line) - same + 1):
        if [_since(note, line[first]) for note in line[first : first + same]] == opening:
            given.update(range(first, first + same))
    return given


def _since(note: Onset, first: Onset) -> tuple[int, int]:
    return round(TICKS_PER_BEAT * (note.onset - first.onset)), note.pitch


@dataclass(frozen=True, slots=True, eq=False)
class Copying:
    """How much of a melody is copied, while it is being made. Immutable, so that notes can be tried.

    `length` is how many of its last notes stand in a row in some tune of `index`; those of a primer are not counted.
    More than `most` are too many.
    """

    index: MelodyIndex
    most: int = COPIED
    own: int = 0
    """How many notes came since the primer."""
    onset: float | None = None
    pitch: int = 0
    time: float | None = None
    """The time between the last two notes."""
    run: SharedRunState | None = None
    before: Copying | None = None
    """What was before the last note, in whose place a higher one that is struck together with it comes."""

    @property
    def length(self) -> int:
        """How many of the last notes are copied."""
        return min(self.own, self.run.length) if self.run else 0

    @property
    def exceeds(self) -> bool:
        """Whether that is too many."""
        return self.length > self.most

    def after(self, onset: float, pitch: int) -> Copying:
        """The same once a note has been struck at beat `onset`, which is not before the last one's.

        Of notes struck together, the highest is the melody's.
        """
        if onset == self.onset and self.before is not None:
            return self.before.after(onset, pitch) if pitch > self.pitch else self
        run, time = self.run or SharedRunState(self.index), None
        if self.onset is None:
            run = run.after(NONE, NONE)
        else:
            time = onset - self.onset
            run = run.after(pitch - self.pitch, NONE if self.time is None else ratio(time, self.time))
        return replace(
            self, own=self.own + 1, onset=onset, pitch=pitch, time=time, run=run, before=replace(self, before=None)
        )

    def primed(self, notes: Iterable[tuple[float, int]]) -> Copying:
        """The same after a primer, by its notes' onsets and pitches."""
        copying = self
        for onset, pitch in notes:
            copying = copying.after(onset, pitch)
        return replace(copying, own=0, before=None)
