"""What sounds in a score without pitched notes: percussion, or chord symbols as notes. Times are in beats."""

from __future__ import annotations

from composer.api import Note, Part, Score

__all__ = ["chord_part", "pitched_notes", "sounding_parts"]


def sounding_parts(score: Score) -> tuple[Part, ...]:
    """Return the parts to draw or measure: those with pitched notes, else the percussion, else the chord symbols.

    It is empty only if the score is not audible.
    """
    parts = tuple(part for part in score.parts if part.notes)
    pitched = tuple(part for part in parts if not part.percussion)
    if pitched or parts:
        return pitched or parts
    chords = chord_part(score)
    return (chords,) if chords.notes else ()


def pitched_notes(score: Score) -> tuple[Note, ...]:
    """Return all notes except percussion, else the notes of the chord symbols."""
    return score.notes or chord_part(score).notes


def chord_part(score: Score) -> Part:
    """Return the chord symbols of `score` as a part that plays them; symbols that name no chord are silent.

    Its instrument is that of the first pitched part, its velocity the mean of all pitched notes.
    """
    pitched = [part for part in score.parts if not part.percussion]
    velocities = [note.velocity for part in pitched for note in part.notes]
    velocity = round(sum(velocities) / len(velocities)) if velocities else 80
    notes = (
        Note(chord.onset, pitch, chord.duration, velocity)
        for chord in score.chords
        if chord.duration > 0
        for pitch in chord.pitches
    )
    return Part(tuple(notes), "Chords", pitched[0].program if pitched else 0)
