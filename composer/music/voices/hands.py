"""The hands of music for a keyboard: chords that no single clef suits, on two staves."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Note, Part

LOW_FOR_TREBLE, MIDDLE_C, HIGH_FOR_BASS = 53, 60, 67
"""Lower pitches do not suit a treble clef, higher ones no bass clef."""


def hands(part: Part) -> dict[str, Sequence[Note]]:
    """Return the notes of `part` from middle C up as `treble`, and those below it as `bass`.

    It is empty if the part has no chords, or if one clef suits all of it.
    """
    has_chords = len({note.onset for note in part.notes}) < len(part.notes)
    if part.percussion or not has_chords or not needs_two_clefs([note.pitch for note in part.notes]):
        return {}
    return {
        "treble": [note for note in part.notes if note.pitch >= MIDDLE_C],
        "bass": [note for note in part.notes if note.pitch < MIDDLE_C],
    }


def needs_two_clefs(pitches: Sequence[int]) -> bool:
    """Return whether neither a treble clef nor a bass clef suits these pitches."""
    return min(pitches) < LOW_FOR_TREBLE and max(pitches) > HIGH_FOR_BASS
