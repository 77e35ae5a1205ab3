"""What sounds in a score without pitched notes: percussion, or chord symbols as notes. Times are in beats."""

from __future__ import annotations

from dataclasses import replace

from composer.api import Note, Part, Score

__all__ = ["chord_part", "pitched_notes", "sounding_parts", "with_drum_rows"]


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


def with_drum_rows(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], list[int]]:
    """Return `parts` with consecutive rows as pitches if they are percussion, and the sounds (MIDI numbers) by row.

    Parts with pitched notes are returned as they are, with no sounds.
    """
    if not parts or not parts[0].percussion:
        return parts, []
    sounds = sorted({note.pitch for part in parts for note in part.notes})
    row_of = {sound: row for row, sound in enumerate(sounds)}
    rows = (tuple(note._replace(pitch=row_of[note.pitch]) for note in part.notes) for part in parts)
    return tuple(replace(part, notes=notes) for part, notes in zip(parts, rows, strict=True)), sounds


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
