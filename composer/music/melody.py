"""The melody of a score, as it is heard: one note after another, whatever else sounds.

By the rules of `abc.melody`, but in whole ticks and without regard to where notes end, which is many times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from composer.api import Note, Score

__all__ = ["TICKS_PER_BEAT", "Onset", "top_line"]

TICKS_PER_BEAT = 48
"""Ticks to a beat: notes struck in one tick are struck together."""

_MAX_OVERLAP = 0.1
"""A melody may have such a share of notes that begin while another of its part sounds."""

_BASS_DISTANCE = 6
"""By so many semitones a part may lie lower than the score on the whole, and still be its melody and no bass."""

_Timed = tuple[int, int, int, float]
"""A note's onset in ticks, its pitch downwards (so that the highest sorts first), its end in ticks, its onset."""


class Onset(NamedTuple):
    """The beat at which a note is struck, and its pitch."""

    onset: float
    pitch: int


def top_line(score: Score) -> list[Onset]:
    """The first part of `score` that is on the whole a single line and no bass; else, the top line of all notes.

    Of what is struck together the highest is taken, and in the top line, nothing that begins under a higher note.
    """
    parts = [sorted(map(_timed, part.notes)) for part in score.parts if part.notes and not part.percussion]
    if len(parts) == 1 and _is_line(parts[0]):
        return _highest_per_tick(parts[0])
    every = sorted(note for part in parts for note in part)
    bottom = _mean_pitch(every) - _BASS_DISTANCE if every else 0
    for part in parts:
        if _mean_pitch(part) >= bottom and _is_line(part):
            return _highest_per_tick(part)
    return _highest_per_tick(_skyline(every))


def _timed(note: Note) -> _Timed:
    onset = note.onset.numerator / note.onset.denominator
    end = onset + note.duration.numerator / note.duration.denominator
    return round(TICKS_PER_BEAT * onset), -note.pitch, round(TICKS_PER_BEAT * end), onset


def _mean_pitch(notes: Sequence[_Timed]) -> float:
    """The mean pitch."""
    return -sum(pitch for _, pitch, _, _ in notes) / len(notes)


def _is_line(notes: Sequence[_Timed]) -> bool:
    """Whether few of `notes`, in order, begin while another sounds."""
    together = end = 0
    for begin, _, until, _ in notes:
        together += begin < end
        end = max(end, until)
    return together <= _MAX_OVERLAP * len(notes)


def _skyline(notes: Sequence[_Timed]) -> list[_Timed]:
    """Of `notes`, in order, those that do not begin under a higher one."""
    line: list[_Timed] = []
    for note in notes:
        if not line or note[0] >= line[-1][2] or note[1] < line[-1][1]:
            line.append(note)
    return line


def _highest_per_tick(notes: Sequence[_Timed]) -> list[Onset]:
    """Of each tick the first of `notes`, which is the highest."""
    line: list[Onset] = []
    last = None
    for begin, pitch, _, onset in notes:
        if begin != last:
            line.append(Onset(onset, -pitch))
            last = begin
    return line
