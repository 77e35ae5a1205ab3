"""Extract the melody of a score as a list of onsets.

The rules are those of `formats.abc.writer.melody`, but in ticks and ignoring note ends, which is many times as fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from composer.api import Note, Score
from composer.music.sounding import chord_part

__all__ = ["TICKS_PER_BEAT", "Onset", "is_line", "top_line"]

TICKS_PER_BEAT = 48
"""Notes that begin in the same tick count as simultaneous."""

_MAX_OVERLAP = 0.1
"""The largest fraction of a melody's notes that begin before an earlier one ends."""

_BASS_DISTANCE = 6
"""A part whose mean pitch is more semitones than this below that of the score is a bass, not the melody."""

_Timed = tuple[int, int, int, float]
"""Onset in ticks, negated pitch (so that the highest sorts first), end in ticks, onset in beats."""


class Onset(NamedTuple):
    """The onset of a note in beats, and its pitch."""

    onset: float
    pitch: int


def top_line(score: Score) -> list[Onset]:
    """Return the first part of `score` that is a single line and not a bass, else the top line of all notes.

    Of simultaneous notes the highest is taken. The top line leaves out notes that begin below a sounding one. Without
    pitched notes, it is the bass of the chord symbols, else the percussion with the lowest number at each time.
    """
    parts = [sorted(map(_timed, part.notes)) for part in score.parts if part.notes and not part.percussion]
    if not parts:
        return _lowest_per_tick(chord_part(score).notes or (note for part in score.parts for note in part.notes))
    if len(parts) == 1 and is_line(parts[0]):
        return _highest_per_tick(parts[0])
    every = sorted(note for part in parts for note in part)
    bottom = _mean_pitch(every) - _BASS_DISTANCE
    for part in parts:
        if _mean_pitch(part) >= bottom and is_line(part):
            return _highest_per_tick(part)
    return _highest_per_tick(_skyline(every))


def _lowest_per_tick(notes: Iterable[Note]) -> list[Onset]:
    """Return the lowest note in each tick."""
    line: dict[int, Onset] = {}
    for note in sorted(notes):
        onset = note.onset.numerator / note.onset.denominator
        line.setdefault(round(TICKS_PER_BEAT * onset), Onset(onset, note.pitch))
    return list(line.values())


def _timed(note: Note) -> _Timed:
    onset = note.onset.numerator / note.onset.denominator
    end = onset + note.duration.numerator / note.duration.denominator
    return round(TICKS_PER_BEAT * onset), -note.pitch, round(TICKS_PER_BEAT * end), onset


def _mean_pitch(notes: Sequence[_Timed]) -> float:
    return -sum(pitch for _, pitch, _, _ in notes) / len(notes)


def is_line(notes: Sequence[tuple[int, int, int, *tuple[float, ...]]]) -> bool:
    """Return whether few of the sorted `notes` (onset, pitch, end, ...) begin before an earlier one ends."""
    overlapping = end = 0
    for note in notes:
        overlapping += note[0] < end
        end = max(end, note[2])
    return overlapping <= _MAX_OVERLAP * len(notes)


def _skyline(notes: Sequence[_Timed]) -> list[_Timed]:
    """Return the sorted `notes` without those that begin below a sounding one."""
    line: list[_Timed] = []
    for note in notes:
        if not line or note[0] >= line[-1][2] or note[1] < line[-1][1]:
            line.append(note)
    return line


def _highest_per_tick(notes: Sequence[_Timed]) -> list[Onset]:
    """Return the first of the sorted `notes` in each tick, which is the highest."""
    line: list[Onset] = []
    last = None
    for begin, pitch, _, onset in notes:
        if begin != last:
            line.append(Onset(onset, -pitch))
            last = begin
    return line
