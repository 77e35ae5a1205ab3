"""Texts in quotation marks: chord symbols, and annotations such as `"^slowly"`."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from composer.music import chords

UNKNOWN_CHORDS = "unknown chord symbols left out"
PLACES = "^_<>@"
"""Signs before an annotation that say where it is."""


class QuotedChord(NamedTuple):
    """A chord symbol or `N.C.`, and whether it is a known one."""

    symbol: str
    is_known: bool


@lru_cache(maxsize=4096)
def read_chord(text: str) -> QuotedChord | None:
    """Return the chord symbol of a text; None for an annotation.

    An unknown symbol ends the chord before it, and so does the annotation `^N.C.`, which abc2midi does not take for an
    unknown chord.
    """
    if chords.is_no_chord(plain := text.lstrip(PLACES)):
        return QuotedChord(plain, is_known=True)
    is_known = chords.parse(text) is not None
    return QuotedChord(text, is_known) if is_known or chords.resembles_chord(text) else None
