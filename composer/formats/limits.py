"""Limits on the size of a piece, which keep the time and memory for damaged files bounded."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Note, ReadError, Score
from composer.api.limits import limit_hint, raised
from composer.music.time_order import as_float, in_time

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
    if _has_long_silence(score):
        return f"is silent for more than {raised(MAX_SILENCE):,} beats in one place"
    return too_long() if score.duration > raised(MAX_BEATS) else ""


def too_long() -> str:
    """Return the predicate of a piece of more than MAX_BEATS beats."""
    return f"is more than {raised(MAX_BEATS):,} beats long"


def _has_long_silence(score: Score) -> bool:
    """Return whether nothing sounds for more than MAX_SILENCE beats before a note, by fractions in close cases only."""
    notes = sorted((note for part in score.parts for note in part.notes), key=lambda note: in_time(note.onset))
    limit, end, last = raised(MAX_SILENCE), 0.0, Note(Fraction(0), 0, Fraction(0))
    for note in notes:
        start = as_float(note.onset)
        if start - end > limit - 1 and note.onset - last.end > limit:
            return True
        stop = start + as_float(note.duration)
        if stop > end:
            end, last = stop, note
    return False
