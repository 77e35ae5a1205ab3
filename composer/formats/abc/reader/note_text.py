"""The text of a single note, its accidental, step and length, and of the unit length."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

from composer.formats.abc.reader.lexer import NOTE
from composer.music.keys import MIDDLE_C

ALTERS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
"""Semitones of the accidentals."""


@cache
def read_note(text: str) -> tuple[str, int, int, int]:
    """Return a note's accidental and step, and its length as numerator and denominator."""
    match = NOTE.fullmatch(text)
    assert match is not None, text
    accidental, letter, marks, length = match.groups()
    step = MIDDLE_C + "CDEFGABcdefgab".index(letter) + 7 * (marks.count("'") - marks.count(","))
    return accidental, step, *read_length(length)


@cache
def read_length(text: str) -> tuple[int, int]:
    """Return a length string (`3/2`, `/`, `//`, or empty) as numerator and denominator."""
    numerator, slash, rest = text.partition("/")
    if not slash:
        return int(text or 1), 1
    denominator = 1
    for part in rest.split("/"):
        denominator *= int(part or 2)
    return int(numerator or 1), denominator


def read_unit(value: str) -> Fraction | None:
    """Return the unit of an `L:` field in whole notes; None if it is none."""
    match = re.match(r"(\d{1,4})\s*/\s*(\d{1,4})|1\b", value)
    if match is None or (match[2] and not (0 < int(match[2]) <= 256 and 0 < int(match[1]) <= 16)):
        return None
    return Fraction(int(match[1]), int(match[2])) if match[2] else Fraction(1)
