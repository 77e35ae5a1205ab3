"""Tempos of `Q:` fields, in all forms that ABC has had."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

SLOWEST, FASTEST = 4, 1000
"""Tempos outside this range, in BPM, are mistakes."""
INVALID = "tempos without a valid value left out"
"""How such tempos, and numbers in no known form, are counted as losses."""

IN_WORDS = "tempo markings in words left out"
"""How words such as `Q:"Allegro"` are counted, which a score has no place for."""

_BEAT = r"\d{1,4}\s*/\s*\d{1,4}"
_TEMPO = re.compile(
    rf"(?:(?P<beats>{_BEAT}(?:[\s+]+{_BEAT}){{0,9}})|(?P<units>[Cc](?P<count>\d{{0,4}}(?:/\d{{1,4}})?)))?\s*="
    r"\s*(?:ca?\.?\s*)?(?P<bpm>\d{1,5}(?:\.\d{1,5})?)"
)
_BARE = re.compile(r"\s*(\d{1,5}(?:\.\d{1,5})?)\s*")


class WrittenTempo(NamedTuple):
    """A tempo in quarter notes per minute, and the length in beats of the note that it is written with, 0 for none."""

    bpm: float
    unit: Fraction = Fraction(0)


def parse_tempo(value: str, unit: Fraction) -> WrittenTempo | None:
    """Return the tempo of a `Q:` field; None if it has no possible number.

    The beat of `Q:1/4 3/8=40` is the sum of the lengths. In the old forms `Q:120`, `Q:C=120` and `Q:C3=40`, it is one
    or several unit lengths: `unit` is that of `L:`, as a fraction of a whole note.
    """
    value = re.sub(r'"[^"]*"?', "", value)
    if bare := _BARE.fullmatch(value):
        return _possible(unit, bare[1])
    match = _TEMPO.search(value)
    if match is None:
        return None
    beat = Fraction(1, 4)
    if match["beats"]:
        beats = [[int(part) for part in each.split("/")] for each in re.findall(_BEAT, match["beats"])]
        if not all(denominator for _, denominator in beats):
            return None
        beat = sum((Fraction(*each) for each in beats), Fraction(0))
    elif match["units"]:
        numerator, _, denominator = match["count"].partition("/")
        if denominator and not int(denominator):
            return None
        beat = unit * Fraction(int(numerator or 1), int(denominator or 1))
    return _possible(beat, match["bpm"])


def has_number(value: str) -> bool:
    """Return whether a `Q:` field has a digit outside of quotes, so that it is more than words."""
    return any(character.isdecimal() for character in re.sub(r'"[^"]*"?', "", value))


def has_words(value: str) -> bool:
    """Return whether a `Q:` field has words in quotes, or nothing but words."""
    in_quotes = "".join(re.findall(r'"[^"]*"?', value))
    return any(map(str.isalpha, in_quotes if has_number(value) else value))


def _possible(unit: Fraction, count: str) -> WrittenTempo | None:
    """Return the tempo of so many notes of `unit`, as a fraction of a whole note."""
    bpm = 4 * unit * Fraction(count)
    return WrittenTempo(float(bpm), 4 * unit) if SLOWEST <= bpm <= FASTEST else None
