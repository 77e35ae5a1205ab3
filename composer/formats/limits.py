"""Limits on the size of a piece, which keep the time and memory for damaged files bounded."""

from __future__ import annotations

from fractions import Fraction

from composer.api import ReadError, Score
from composer.api.limits import limit_hint, raised

MAX_NOTES = 500_000
MAX_BEATS = 100_000
"""14 hours at 120 BPM."""
MAX_SILENCE = 4096
"""The longest silence, in beats."""


SPLIT = "split it into smaller files"


def check_size(data: bytes, name: str, limit: int) -> None:
    """Raise ReadError if the file `name` has more than `limit` bytes."""
    if len(data) > raised(limit):
        hint = limit_hint(SPLIT, len(data), limit)
        raise ReadError(f"{name} is larger than {raised(limit) // 2**20:,} MB", hint)


def check_count(count: int, limit: int, what: str, name: str, advice: str = SPLIT) -> None:
    """Raise ReadError if the file `name` has more than `limit` of `what`, such as "notes"."""
    if count > raised(limit):
        raise too_many(limit, what, name, advice, count)


def too_many(limit: int, what: str, name: str, advice: str = SPLIT, count: int = 0) -> ReadError:
    """Return the error for a file with more than `limit` of `what`: `count`, if that is known."""
    return ReadError(f"{name} has more than {raised(limit):,} {what}", limit_hint(advice, count, limit))


def exceeded_limit(score: Score) -> str:
    """Return which limit `score` exceeds, as a predicate such as `is silent for more than ...`; empty if none."""
    if sum(len(part.notes) for part in score.parts) > raised(MAX_NOTES):
        return f"has more than {raised(MAX_NOTES):,} notes"
    notes = sorted(note for part in score.parts for note in part.notes)
    end, silence = Fraction(0), raised(MAX_SILENCE)
    for note in notes:
        if note.onset - end > silence:
            return f"is silent for more than {silence:,} beats in one place"
        end = max(end, note.end)
    return f"is more than {raised(MAX_BEATS):,} beats long" if max(end, score.duration) > raised(MAX_BEATS) else ""
