"""Fermatas at the beginning of the notes that they hold: a sign on a tied note belongs to the note as played."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from fractions import Fraction

from composer.api import Part

MAX_NOTES_BACK = 64
"""How many notes are looked through for the one that holds a sign."""


def note_beginnings(signs: Iterable[Fraction], parts: Sequence[Part]) -> tuple[Fraction, ...]:
    """Return the beats at which the notes with fermatas begin, ascending, for `signs` at these beats.

    If no note begins there, it is the last that sounds there; without any, the sign stays where it is.
    """
    beats = sorted(set(signs))
    if not beats:
        return ()
    spans = sorted((note.onset, note.end) for part in parts for note in part.notes)
    onsets = [onset for onset, _ in spans]
    found = set[Fraction]()
    for at in beats:
        first = bisect_left(onsets, at)
        begins = first < len(onsets) and onsets[first] == at
        before = spans[max(first - MAX_NOTES_BACK, 0) : first]
        found.add(at if begins else next((onset for onset, end in reversed(before) if end > at), at))
    return tuple(sorted(found))
