"""Tokens of kern: the length, pitch and tie of each note."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

_RHYTHM = re.compile(r"(\d+)(?:%(\d+))?(\.*)")
_PITCH = re.compile(r"([a-gA-G])\1*")
_ACCIDENTAL = re.compile(r"#+|-+")
_STEPS = dict(zip("cdefgab", (0, 2, 4, 5, 7, 9, 11), strict=True))
_MAX_DIGITS, _MAX_DOTS = 5, 6


class NoteToken(NamedTuple):
    """A note: its length in beats, its pitch as a MIDI number, and whether ties lead to it and from it.

    `length` is 0 for grace notes. `pitch` is None for rests and for percussion without pitch.
    """

    length: Fraction
    pitch: int | None
    tied_before: bool = False
    tied_after: bool = False


@lru_cache(maxsize=4096)
def read_token(token: str) -> tuple[NoteToken, ...]:
    """Return the notes of a token, several for a chord. Raises ValueError for a length that is none."""
    notes: list[NoteToken] = []
    length: Fraction | None = None
    for each in token.split(" "):
        if not each or each == ".":
            continue
        own = read_length(each)
        length = own if own is not None else length
        is_grace = "q" in each or "Q" in each
        # a length alone is an invisible rest
        pitch = None if "r" in each or "R" in each else read_pitch(each)
        ends, goes_on = "]" in each or "_" in each, "[" in each or "_" in each
        notes.append(NoteToken(Fraction(0) if is_grace else length or Fraction(0), pitch, ends, goes_on))
    return tuple(notes)


def read_length(token: str) -> Fraction | None:
    """Return the length of a note in beats, None if the token names none. `3%2` is a half of a triplet's whole note.

    `0` is a double whole note, `00` twice that. Raises ValueError for numbers that no rhythm has.
    """
    found = _RHYTHM.search(token)
    if found is None:
        return None
    value, divisor, dots = found[1], found[2] or "1", len(found[3])
    if len(value) > _MAX_DIGITS or len(divisor) > _MAX_DIGITS or dots > _MAX_DOTS or not int(divisor):
        raise ValueError(token)
    is_long = not int(value)
    length = Fraction(4 * 2 ** len(value)) if is_long else Fraction(4, int(value))
    return length * int(divisor) * (2 - Fraction(1, 2**dots))


def read_pitch(token: str) -> int | None:
    """Return the MIDI number of a note, 60 for `c`; None if the token names no pitch."""
    found = _PITCH.search(token)
    if found is None:
        return None
    letter, count = found[1], len(found[0])
    octave = 4 + count if letter.islower() else 5 - count
    accidental = _ACCIDENTAL.match(token, found.end())
    sign = accidental[0] if accidental else ""
    return 12 * octave + _STEPS[letter.lower()] + (len(sign) if sign.startswith("#") else -len(sign))
