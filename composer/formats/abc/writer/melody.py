"""Extract the melody of a score for the dialect, and count what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import Note, Part, Score
from composer.music.keys import BEAT

GRID = BEAT // 8
"""Onsets and ends outside of triplets are moved to the nearest thirty-second note."""

UNDER_MELODY = "notes below the melody skipped"
OTHER_PARTS = "other parts left out"

_MAX_OVERLAP = Fraction(1, 10)
"""The share of a melody's notes that may start while another sounds."""

_BASS_DISTANCE = 6
"""The semitones by which a melody may lie below the whole score; lower parts are basses."""


class ExtractedMelody(NamedTuple):
    """A melody in ascending order, what else the score had, counted by phrase, and the program of most of its notes."""

    notes: tuple[Note, ...]
    losses: dict[str, int]
    program: int = 0


def melody_of(score: Score) -> ExtractedMelody:
    """Return the first part that is mostly a single line and not a bass; failing that, the top line of all notes."""
    parts = [part for part in score.parts if part.notes and not part.percussion]
    bottom = _mean_pitch(score.notes) - _BASS_DISTANCE
    for part in parts:
        if _mean_pitch(part.notes) >= bottom and _mostly_single_line(part):
            others = {OTHER_PARTS: len(parts) - 1} if len(parts) > 1 else {}
            return ExtractedMelody(tuple(sorted(part.notes)), others, part.program)
    top = skyline(score.notes)
    under = len(score.notes) - len(top)
    found = {*top}
    programs = Counter(part.program for part in parts for note in part.notes if note in found)
    program = max(programs, key=lambda each: programs[each], default=0)
    return ExtractedMelody(tuple(top), {UNDER_MELODY: under} if under else {}, program)


def skyline(notes: Sequence[Note]) -> list[Note]:
    """Return the top line of `notes`: the highest of those that start together, cut when a higher one starts.

    Notes that start under a higher note are left out.
    """
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (snap(note.onset), -note.pitch, -note.duration)):
        begin = snap(note.onset)
        sounding = bool(line) and begin < snap(line[-1].end)
        if not sounding or (begin > snap(line[-1].onset) and note.pitch > line[-1].pitch):
            line.append(note)
    return line


def _mostly_single_line(part: Part) -> bool:
    """Return whether few of its notes start while another sounds."""
    together, end = 0, 0
    for note in sorted(part.notes):
        together += snap(note.onset) < end
        end = max(end, snap(note.end))
    return together <= _MAX_OVERLAP * len(part.notes)


def _mean_pitch(notes: Sequence[Note]) -> Fraction:
    return Fraction(sum(note.pitch for note in notes), max(len(notes), 1))


def snap(beats: Fraction) -> int:
    """Convert beats to ticks on the grid, or exactly if they are thirds or sixths of a beat."""
    ticks = beats * BEAT
    if ticks.denominator == 1 and int(ticks) % (BEAT // 12) == 0:
        return int(ticks)
    return round(ticks / GRID) * GRID
