"""One voice out of a score, and the key it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from composer.api import Note, Part, Score
from composer.formats.quantise import GridNote

_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})
UNDER = "notes under the melody left out"


def top_part(parts: Sequence[Part]) -> Part:
    """The part that lies highest on the whole: the melody of a song, the soprano of a choir."""
    return max(parts, key=lambda part: sum(note.pitch for note in part.notes) / len(part.notes))


def skyline(notes: Sequence[GridNote]) -> tuple[list[GridNote], int]:
    """The top voice of `notes` in ascending order, and how many notes are under it.

    Of notes struck together the highest stays; a note ends where a higher one begins, and one that begins under a
    higher one is left out. A lower note struck as a higher one sounds on is part of the accompaniment.
    """
    line: list[GridNote] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch, -note.length)):
        if line and note.start < line[-1].end:
            if note.start == line[-1].start or note.pitch < line[-1].pitch:
                continue
            line[-1] = line[-1]._replace(length=note.start - line[-1].start)
        line.append(note)
    return line, len(notes) - len(line)


def is_one_voice(notes: Sequence[GridNote]) -> bool:
    """True where none of `notes`, in ascending order, begins before the one before it ends."""
    return all(note.start >= before.end for before, note in pairwise(notes))


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
