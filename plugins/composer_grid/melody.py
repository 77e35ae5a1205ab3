"""One voice out of a score, and the key it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from composer.api import Note, Score
from composer.formats.gridded import Voice
from composer.formats.quantise import GridNote

_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})
UNDER, CUT = "notes under the melody left out", "notes cut short by a higher one"
SELDOM = Fraction(1, 4)
"""A part that sounds for less of the time that the fullest part does is no melody."""


def top_part(parts: Sequence[Voice]) -> Voice:
    """The part that lies highest on the whole: the melody of a song, the soprano of a choir.

    One that hardly plays, such as a piccolo that joins in at the end, is passed over.
    """
    times = [_time(part) for part in parts]
    playing = [part for part, time in zip(parts, times, strict=True) if time >= SELDOM * max(times)]
    return max(playing, key=lambda part: sum(note.pitch for note in part.notes) / len(part.notes))


def _time(part: Voice) -> Fraction:
    """For how many beats something sounds in `part`."""
    time = until = Fraction(0)
    for note in sorted(part.notes):
        time += max(note.end - max(note.onset, until), Fraction(0))
        until = max(until, note.end)
    return time


def skyline(notes: Sequence[GridNote]) -> tuple[list[GridNote], dict[str, int]]:
    """The top voice of `notes` in ascending order, and what of the others it costs, counted by phrase.

    Of notes struck together the highest stays; a note ends where a higher one begins, and one that begins under a
    higher one is left out. A lower note struck as a higher one sounds on is part of the accompaniment.
    """
    line: list[GridNote] = []
    cut = 0
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch, -note.length)):
        if line and note.start < line[-1].end:
            if note.start == line[-1].start or note.pitch < line[-1].pitch:
                continue
            line[-1] = line[-1]._replace(length=note.start - line[-1].start)
            cut += 1
        line.append(note)
    return line, {UNDER: len(notes) - len(line), CUT: cut}


def second_voice(notes: Sequence[Note], slack: Fraction) -> Note | None:
    """The first of `notes` that begins more than `slack` beats before the one before it ends; None in one voice."""
    return next((note for before, note in pairwise(sorted(notes)) if before.end - note.onset > slack), None)


def to_c(score: Score, notes: Sequence[Note]) -> int:
    """The semitones, -6 to 5, that bring a score to C major, A minor, or another mode without sharps and flats.

    The score's own key decides; where it has none, the scale that most of `notes`, by duration, belong to, and among
    such scales the one whose first or sixth degree is the last note.
    """
    if score.keys:
        tonic = 7 * score.keys[0].sharps
    else:
        weights: Counter[int] = Counter()
        for note in notes:
            weights[note.pitch % 12] += note.duration  # type: ignore[assignment]
        last = notes[-1].pitch

        def fitness(tonic: int) -> tuple[object, bool, int]:
            inside = sum(weight for pitch, weight in weights.items() if (pitch - tonic) % 12 in _MAJOR)
            return inside, (last - tonic) % 12 in (0, 9), -tonic

        tonic = max(range(12), key=fitness)
    return (6 - tonic) % 12 - 6
