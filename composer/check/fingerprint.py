"""Melodies as fingerprints that know no key: the same tune is found again in whatever key and note values it stands."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from composer.api import Part, Score

__all__ = ["MIN_NOTES", "Fingerprint", "fingerprint"]

MIN_NOTES = 12
"""A tune of fewer notes is like others by chance."""

_MAX_OVERLAP = 0.1
"""A melody may have such a share of notes that begin while another sounds."""

_Timed = tuple[int, int, int]
"""A note's onset, pitch and end, in whole units of time."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A piece by the intervals and the times from note to note.

    `all_notes` is of all notes and `melody` of the melody alone, the same where there is nothing else. `first_pitch` is
    the pitch of the melody's first note and `time_unit` the greatest time, in beats, that all its times are multiples
    of.
    """

    all_notes: bytes
    melody: bytes
    first_pitch: int
    time_unit: Fraction

    @property
    def is_single_line(self) -> bool:
        """Whether the piece is a melody and no more."""
        return self.all_notes == self.melody


def fingerprint(score: Score) -> Fingerprint | None:
    """The fingerprint of `score`; None where it is too short to have one. A rest counts as part of the note before."""
    unit, parts = _timed([part for part in score.parts if part.notes and not part.percussion])
    notes = sorted(note for part in parts for note in part)
    if len(notes) < MIN_NOTES:
        return None
    melody = next((part for part in parts if len(part) >= MIN_NOTES and _is_line(part)), notes)
    line, step = _digest(melody)
    whole = line if len(melody) == len(notes) else _digest(notes)[0]
    return Fingerprint(whole, line, melody[0][1], Fraction(step, unit))


def _timed(parts: Sequence[Part]) -> tuple[int, list[list[_Timed]]]:
    """How many units a beat has, and the notes of each part in them; fractions would be slow to sort."""
    unit = math.lcm(
        *{time.denominator for part in parts for note in part.notes for time in (note.onset, note.duration)}
    )

    def whole(time: Fraction) -> int:
        return time.numerator * (unit // time.denominator)

    timed = []
    for part in parts:
        onsets = [(whole(note.onset), note) for note in part.notes]
        timed.append(sorted((onset, note.pitch, onset + whole(note.duration)) for onset, note in onsets))
    return unit, timed


def _is_line(notes: Sequence[_Timed]) -> bool:
    together = end = 0
    for onset, _, until in notes:
        together += onset < end
        end = max(end, until)
    return together <= _MAX_OVERLAP * len(notes)


def _digest(notes: Sequence[_Timed]) -> tuple[bytes, int]:
    """A digest of the intervals and times of `notes`, and the greatest number that divides the times."""
    begin, base, _ = notes[0]
    step = math.gcd(*(onset - begin for onset, _, _ in notes)) or 1
    steps = [((onset - begin) // step, pitch - base) for onset, pitch, _ in notes]
    return hashlib.blake2b(repr(steps).encode(), digest_size=12).digest(), step
