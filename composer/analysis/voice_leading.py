"""Harmony and voice leading of music in several voices, beat by beat."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import combinations, pairwise, starmap

from composer.analysis.cadence import tonic_of
from composer.api import Score
from composer.music.parallel_motion import both_move, is_parallel
from composer.music.sounding import pitched_notes


def clashes_on_beats(score: Score) -> float | None:
    """Return the share of beats with notes that have two a semitone apart, in any octave; None without notes."""
    beats = [pitches for pitches in pitches_on_beats(score) if pitches]
    return sum(map(has_clash, beats)) / len(beats) if beats else None


def outer_parallels(score: Score) -> float | None:
    """Return the share of steps from beat to beat in which the outer voices move in parallel octaves or fifths.

    Only steps in which both voices move count; None if there is none.
    """
    outer = [(pitches[0], pitches[-1]) for pitches in pitches_on_beats(score) if len(pitches) > 1]
    moves = [(before, after) for before, after in pairwise(outer) if both_move(before, after)]
    return sum(starmap(is_parallel, moves)) / len(moves) if moves else None


def ends_on_the_tonic_in_the_bass(score: Score) -> bool:
    """Return whether the lowest note of the last chord is the tonic of the key, given or estimated."""
    last = last_chord(score)
    return bool(last) and last[0] % 12 == tonic_of(score).pitch_class


def last_chord(score: Score) -> Sequence[int]:
    """Return the pitches of the notes that end last, ascending."""
    notes = pitched_notes(score)
    end = max((note.end for note in notes), default=None)
    return sorted(note.pitch for note in notes if note.end == end)


def pitches_on_beats(score: Score) -> Sequence[Sequence[int]]:
    """Return the pitches that sound at each beat, ascending.

    Beats count from the start of the score: after a pickup of a fraction of a beat, they are off the beat.
    """
    notes = sorted(pitched_notes(score))
    onsets = [note.onset for note in notes]
    longest = max((note.duration for note in notes), default=0)
    found = []
    for beat in range(-(-score.duration // 1)):
        first = bisect_right(onsets, beat - longest - 1)
        sounding = {note.pitch for note in notes[first : bisect_right(onsets, beat)] if note.end > beat}
        found.append(sorted(sounding))
    return found


def has_clash(pitches: Sequence[int]) -> bool:
    """Return whether two of the pitches are a semitone apart, in any octave."""
    return any((high - low) % 12 in (1, 11) for low, high in combinations(pitches, 2))
