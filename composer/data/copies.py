"""Recognize copies: pieces with one melody under other titles and in other keys, or with one text.

The title is part of a tune's content, so digests of the content differ. Copies on both sides of a split would make the
held-out loss too low.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from composer.api import Piece, Representation, Score
from composer.data.corpus import content_digest

if TYPE_CHECKING:
    from composer.music.contour import Contour

MIN_NOTES = 12
"""Shorter melodies are equal by chance."""

MIN_STEPS = 4
"""Melodies with fewer different steps are scales, or a note that is repeated above a changing accompaniment."""

_KEY_BYTES = 8
"""Among a hundred million pieces, two share a key with a probability of 3 in 10,000."""


def copy_key_of(piece: Piece, representation: Representation) -> int:
    """Return the `copy_key` of a piece of `representation`."""
    from composer.music.contour import contour

    score = representation.score(piece)
    return copy_key(piece, score, None if score is None else contour(score))


def copy_key(piece: Piece, score: Score | None, melody: Contour | None) -> int:
    """Return a key that copies of `piece` share; `score` is its music, and `melody` the contour of the score.

    Copies have the same whole melody: the same intervals, and the same times from onset to onset up to a factor, with
    repeats played. Title, key, tempo, accompaniment and rests do not matter. If the melody is too short or too plain to
    tell pieces apart, or there are no pitched notes, copies have the same text up to whitespace, or the same content.
    """
    key = None if melody is None or not _is_pitched(score) else melody_key(melody)
    if key is not None:
        return key
    if isinstance(piece.content, str):
        return _key(b"text", " ".join(piece.content.split()).encode("utf-8", "surrogatepass"))
    return _key(b"content", content_digest(piece))


def _is_pitched(score: Score | None) -> bool:
    """Return whether the melody of a score consists of its notes, not of drums or the basses of chord symbols."""
    return score is not None and any(part.notes and not part.percussion for part in score.parts)


def melody_key(melody: Contour) -> int | None:
    """Return the key of pieces with this whole melody; None if it is too short or too plain to tell pieces apart."""
    intervals, ratios = melody.intervals.tobytes(), melody.ratios.tobytes()
    if len(intervals) < MIN_NOTES or len({*zip(intervals[2:], ratios[2:], strict=True)}) < MIN_STEPS:
        return None
    return _key(b"melody", intervals, ratios)


def _key(*parts: bytes) -> int:
    digest = hashlib.blake2b(digest_size=_KEY_BYTES)
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return int.from_bytes(digest.digest(), "big")


def moved_note(count: int) -> str:
    """Say that so many held-out pieces were moved to training."""
    return f"{_held_out(count)} the melody or text of a training piece; moved to training"


def copies_note(count: int) -> str:
    """Say that so many held-out pieces are copies of training pieces, and that they stay held out."""
    kept = "the split is kept as given (`composer check FILE...` finds copies)"
    return f"{_held_out(count)} the melody or text of a training piece, so the held-out loss is too low; {kept}"


def _held_out(count: int) -> str:
    return "1 held-out piece has" if count == 1 else f"{count:,} held-out pieces have"
