"""Choose the melody part of a score, and find its key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from composer.api import Key, Note
from composer.formats.midi.tracks import MidiFile, Track
from composer.music.keys import MAJOR_SCALE
from composer.toolkit.representations.quantize import SLACK, NotEncodable
from composer.toolkit.representations.score_parts import Music, NoteSource, notes_of

MAX_TIME_SHARE = Fraction(1, 4)
"""Minimum sounding time of a melody part, relative to the part that sounds longest."""


def top_part(music: Music, parts: Sequence[NoteSource]) -> NoteSource:
    """Return the part with the highest mean pitch, such as the melody of a song or the soprano of a choir.

    Parts that play too little, such as a piccolo that joins in at the end, do not count.
    """
    highest = max(parts, key=_mean_pitch)
    if isinstance(music, MidiFile) and _sounding_time(highest) >= MAX_TIME_SHARE * music.span[2]:
        return highest  # long enough, however long the others play
    times = [_sounding_time(part) for part in parts]
    enough = MAX_TIME_SHARE * max(times)
    return max((part for part, time in zip(parts, times, strict=True) if time >= enough), key=_mean_pitch)


def _mean_pitch(part: NoteSource) -> float:
    if isinstance(part, Track):
        return int(part.notes[:, 2].sum()) / len(part.notes)
    return sum(note.pitch for note in part.notes) / len(part.notes)  # type: ignore[no-any-return]


def _sounding_time(part: NoteSource) -> Fraction | int:
    """Return how long at least one note of `part` sounds: in beats, or in ticks for a track."""
    if isinstance(part, Track):
        from composer_grid.token_arrays import sounding_time

        return sounding_time(part.notes)
    time = until = Fraction(0)
    for note in sorted(part.notes):
        time += max(note.end - max(note.onset, until), Fraction(0))
        until = max(until, note.end)
    return time


def check_one_voice(music: Music, parts: Sequence[NoteSource], steps: Fraction) -> None:
    """Raise NotEncodable if `parts` have more than one voice, on a grid with so many `steps` per beat."""
    if len(parts) > 1:
        raise NotEncodable("more than one voice", f"{len(parts)} parts")
    second = second_voice(notes_of(music, parts[0]), 2 * SLACK / steps)
    if second is not None:
        raise NotEncodable("more than one voice", f"at beat {float(second.onset):g}")


def second_voice(notes: Sequence[Note], slack: Fraction) -> Note | None:
    """Return the first note that overlaps the one before it by more than `slack` beats; None if there is none."""
    return next((note for before, note in pairwise(sorted(notes)) if before.end - note.onset > slack), None)


def to_c(keys: Sequence[Key], notes: Sequence[Note]) -> int:
    """Return the transposition, -6 to 5 semitones, to C major, A minor, or another mode without sharps and flats.

    The first of `keys` decides. Without one, it is the scale that contains most of `notes`, by duration; of several,
    the one whose first or sixth degree is the last note.
    """
    if keys:
        tonic = 7 * keys[0].sharps
    else:
        weights: Counter[int] = Counter()
        for note in notes:
            weights[note.pitch % 12] += note.duration  # type: ignore[assignment]
        last = notes[-1].pitch

        def fitness(tonic: int) -> tuple[object, bool, int]:
            inside = sum(weight for pitch, weight in weights.items() if (pitch - tonic) % 12 in MAJOR_SCALE)
            return inside, (last - tonic) % 12 in (0, 9), -tonic

        tonic = max(range(12), key=fitness)
    return (6 - tonic) % 12 - 6
