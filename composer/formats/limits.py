"""Limits on the size of a piece, which keep the time and memory for damaged files bounded."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Score

MAX_NOTES = 500_000
MAX_BEATS = 100_000
"""14 hours at 120 BPM."""
MAX_SILENCE = 4096
"""The longest silence, in beats."""


def exceeded_limit(score: Score) -> str:
    """Return which limit `score` exceeds, as a predicate such as `is silent for more than ...`; empty if none."""
    notes = sorted(note for part in score.parts for note in part.notes)
    end = Fraction(0)
    for note in notes:
        if note.onset - end > MAX_SILENCE:
            return f"is silent for more than {MAX_SILENCE:,} beats in one place"
        end = max(end, note.end)
    if max(end, score.duration) > MAX_BEATS:
        return f"is more than {MAX_BEATS:,} beats long"
    return f"has more than {MAX_NOTES:,} notes" if len(notes) > MAX_NOTES else ""
