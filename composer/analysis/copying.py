"""Copied runs: the longest run of notes that a melody shares with the tunes a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composer.analysis.melody_search import MelodyIndex, SharedRuns
from composer.api import Score
from composer.music.contour import Contour, MelodySource, contour
from composer.music.melody import TICKS_PER_BEAT, Onset, top_line

COPIED = 16
"""Shared runs of this many notes are rarely a coincidence."""

MIN_REPEATED_PRIMER = 8
"""A primer with at least this many notes is recognized where it repeats later in the piece."""


@dataclass(frozen=True, slots=True)
class Match:
    """A run of `notes` notes that a melody shares with `tune`, and with `tunes` tunes in all.

    It starts at note `note` in bar `bar` of the tune, and at note `at` in bar `at_bar` of the melody. Notes are
    numbered from 1 and bars as in `composer.music.bars`, with repeats played out.
    """

    notes: int
    tune: MelodySource
    note: int
    bar: int
    at: int
    at_bar: int
    tunes: int = 1


def longest_run(score: Score, index: MelodyIndex, exclude: int | None = None) -> Match | None:
    """Return the first longest run that the melody of `score` shares; None if it shares no two notes.

    Tune number `exclude` is ignored, such as the one that `score` comes from.
    """
    notes = contour(score)
    return None if notes is None else longest_run_of(notes, index, exclude)


def longest_run_of(notes: Contour, index: MelodyIndex, exclude: int | None = None) -> Match | None:
    """Return the longest run of a melody, as `longest_run` does."""
    runs = SharedRuns.of(notes, index, exclude)
    last = int(np.argmax(runs.lengths)) if len(runs.lengths) else 0
    length, ends = int(runs.lengths[last]) if len(runs.lengths) else 0, runs.ends_of_longest()
    if not len(ends):
        return None
    owners, at, begin = index.owners[ends], 1 + last - length, 1 + int(ends[0]) - length
    melodies, owner = index.melodies, int(owners[0])
    note = begin - int(melodies.firsts[owner])
    return Match(
        length, melodies.tunes[owner], 1 + note, int(melodies.notes.bars[begin]),
        1 + at, int(notes.bars[at]), len(np.unique(owners)),
    )  # fmt: skip


def longest_copied_run(score: Score, index: MelodyIndex, primer: Score | None = None) -> int:
    """Return the longest run in notes that the melody of `score` shares with a tune, without its `primer`."""
    notes = contour(score)
    if notes is None:
        return 0
    primer_notes = set() if primer is None else _primer_notes(top_line(score), top_line(primer))
    own, longest = 0, 0
    for number, length in enumerate(SharedRuns.of(notes, index).lengths.tolist()):
        own = 0 if number in primer_notes else own + 1
        longest = max(longest, min(own, length))
    return longest


def _primer_notes(line: Sequence[Onset], primer: Sequence[Onset]) -> set[int]:
    """Return the numbers of the notes of `line` that belong to its primer, or to a repeat of it."""
    same = 0
    while same < min(len(line), len(primer)) and line[same] == primer[same]:
        same += 1
    numbers = set(range(same))
    if same < MIN_REPEATED_PRIMER:
        return numbers
    opening = [_since(note, line[0]) for note in line[:same]]
    for first in range(same, len(line) - same + 1):
        if [_since(note, line[first]) for note in line[first : first + same]] == opening:
            numbers.update(range(first, first + same))
    return numbers


def _since(note: Onset, first: Onset) -> tuple[int, int]:
    return round(TICKS_PER_BEAT * (note.onset - first.onset)), note.pitch
