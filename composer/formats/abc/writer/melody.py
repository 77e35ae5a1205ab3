"""The melody of a score, as far as the dialect can hold it, and what of the score that leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import Note, Part, Score
from composer.music.keys import BEAT

__all__ = ["GRID", "ExtractedMelody", "melody_of", "snap"]

GRID = BEAT // 8
"""Onsets and ends that are not parts of triplets are moved to the nearest thirty-second note."""

UNDER_MELODY = "notes under the melody left out"
OTHER_PARTS = "other parts left out"

_MAX_OVERLAP = Fraction(1, 10)
"""A melody may have such a share of notes that sound together with others of its part."""

_BASS_DISTANCE = 6
"""By so many semitones a part may lie lower than the score on the whole, and still be its melody and no bass."""


class ExtractedMelody(NamedTuple):
    """A melody in ascending order, and what its score holds beside it, counted by phrase."""

    notes: tuple[Note, ...]
    losses: dict[str, int]


def melody_of(score: Score) -> ExtractedMelody:
    """The first part that is on the whole a single line and no bass; where there is none, the top line of all notes."""
    parts = [part for part in score.parts if part.notes and not part.percussion]
    bottom = _mean_pitch(score.notes) - _BASS_DISTANCE
    for part in parts:
        if _mean_pitch(part.notes) >= bottom and _mostly_single_line(part):
            return ExtractedMelody(tuple(sorted(part.notes)), {OTHER_PARTS: len(parts) - 1} if len(parts) > 1 else {})
    top = skyline(score.notes)
    under = len(score.notes) - len(top)
    return ExtractedMelody(tuple(top), {UNDER_MELODY: under} if under else {})


def skyline(notes: Sequence[Note]) -> list[Note]:
    """The top line of `notes`: of what begins together the highest, which ends where a higher note begins.

    What begins under a higher note that still sounds is none of it.
    """
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (snap(note.onset), -note.pitch, -note.duration)):
        begin = snap(note.onset)
        sounding = bool(line) and begin < snap(line[-1].end)
        if not sounding or (begin > snap(line[-1].onset) and note.pitch > line[-1].pitch):
            line.append(note)
    return line


def _mostly_single_line(part: Part) -> bool:
    """Whether few of its notes begin while another sounds."""
    together, end = 0, 0
    for note in sorted(part.notes):
        together += snap(note.onset) < end
        end = max(end, snap(note.end))
    return together <= _MAX_OVERLAP * len(part.notes)


def _mean_pitch(notes: Sequence[Note]) -> Fraction:
    return Fraction(sum(note.pitch for note in notes), max(len(notes), 1))


def snap(beats: Fraction) -> int:
    """Ticks of the grid, or of the third or sixth of a beat that `beats` exactly is."""
    ticks = beats * BEAT
    if ticks.denominator == 1 and int(ticks) % (BEAT // 12) == 0:
        return int(ticks)
    return round(ticks / GRID) * GRID
