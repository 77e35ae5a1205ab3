"""Fingerprints that find the same tune again in any key and note values."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import Part, Score
from composer.music.melody import is_line
from composer.music.sounding import sounding_parts

MIN_NOTES = 12
"""Shorter tunes resemble others by chance."""

_Timed = tuple[int, int, int]
"""Onset, pitch and end, in units of time."""


class Shape(NamedTuple):
    """A `digest` of the intervals and times between notes, their first pitch, and their unit of time.

    Of several first notes it is the lowest. The unit is the greatest common divisor of the times, in beats.
    """

    digest: bytes
    first_pitch: int
    time_unit: Fraction


class Fingerprint(NamedTuple):
    """The shape of `all_notes` and that of the `melody` alone."""

    all_notes: Shape
    melody: Shape

    @property
    def is_single_line(self) -> bool:
        """Whether the piece is nothing but a melody."""
        return self.all_notes.digest == self.melody.digest


def fingerprint(score: Score) -> Fingerprint | None:
    """Return the fingerprint of `score`, or None if it is too short. A rest counts as part of the note before it."""
    unit, parts = _timed(sounding_parts(score))
    notes = sorted(note for part in parts for note in part)
    if len(notes) < MIN_NOTES:
        return None
    melody = next((part for part in parts if len(part) >= MIN_NOTES and is_line(part)), notes)
    line = _shape(melody, unit)
    return Fingerprint(line if len(melody) == len(notes) else _shape(notes, unit), line)


def _timed(parts: Sequence[Part]) -> tuple[int, list[list[_Timed]]]:
    """Return the units per beat and each part's notes in units, since fractions are slow to sort."""
    times = {time.denominator for part in parts for note in part.notes for time in (note.onset, note.duration)}
    unit = math.lcm(*times)

    def whole(time: Fraction) -> int:
        return time.numerator * (unit // time.denominator)

    timed = []
    for part in parts:
        onsets = [(whole(note.onset), note) for note in part.notes]
        timed.append(sorted((onset, note.pitch, onset + whole(note.duration)) for onset, note in onsets))
    return unit, timed


def _shape(notes: Sequence[_Timed], unit: int) -> Shape:
    """Return the shape of `notes`, whose times are in `unit` parts of a beat."""
    begin, base, _ = notes[0]
    step = math.gcd(*(onset - begin for onset, _, _ in notes)) or 1
    steps = [((onset - begin) // step, pitch - base) for onset, pitch, _ in notes]
    return Shape(hashlib.blake2b(repr(steps).encode(), digest_size=12).digest(), base, Fraction(step, unit))
