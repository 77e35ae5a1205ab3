"""Parallel fifths and octaves: two voices that move and keep a perfect interval."""

from __future__ import annotations

__all__ = ["PERFECT", "Voices", "both_move", "is_parallel"]

PERFECT = (0, 7)
"""Semitones, without octaves, of the intervals that voices do not move in parallel: octave and fifth."""

Voices = tuple[int, int]
"""The MIDI pitches of two voices, the lower one first."""


def both_move(before: Voices, after: Voices) -> bool:
    """Return whether each of the voices changes its pitch."""
    return before[0] != after[0] and before[1] != after[1]


def is_parallel(before: Voices, after: Voices) -> bool:
    """Return whether both voices move, and are a fifth or an octave apart, or some octaves more, before and after."""
    return both_move(before, after) and (before[1] - before[0]) % 12 == (after[1] - after[0]) % 12 in PERFECT
