"""What is odd in the fields of a tune: letters that mean nothing, and tempos that nobody plays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.lexer import Field
from composer.formats.abc.reader.score import tempo_of

__all__ = ["FASTEST", "SLOWEST", "header_problems"]

SLOWEST, FASTEST = 20, 300
"""Beats a minute that are usual at most."""

_KNOWN = frozenset("ABCDEFGHIKLMNOPQRSTUVWXZmrsuvw+")
"""The letters of fields. `E` was one in ABC 1.6, and `u` and `v` are some programs' own."""


def header_problems(tune: Tune) -> Iterator[Problem]:
    """What is odd in the fields before the music."""
    for found in tune.fields:
        if found.name not in _KNOWN:
            message = f"`{found.name}:` is no field of ABC, and what it says is left out"
            yield Problem(found.line, found.column, "unknown field", message, Severity.WARNING)
        elif found.name == "Q" and (message := _tempo(tune, found)):
            yield Problem(found.line, found.column, "odd tempo", message, Severity.WARNING)


_COUNT = re.compile(r"=\s*(\d+(?:\.\d+)?)|^\s*(\d+)\s*$")


def _tempo(tune: Tune, found: Field) -> str:
    """What is odd in the tempo that a `Q:` field gives; empty where it is usual, or but a word.

    A count of unusual beats, such as half notes, is judged as it stands too: 160 of these are 320 quarter notes.
    """
    value = re.sub(r'"[^"]*"', "", found.value).strip()
    match = _COUNT.search(value)
    if match is None:
        return f"`{found.value}` is no tempo" if any(character.isdecimal() for character in value) else ""
    count = float(match[1] or match[2])
    bpm = tempo_of(tune)
    usual = bpm is not None and SLOWEST <= bpm <= FASTEST
    if usual or (match[1] and bpm is not None and SLOWEST <= count <= FASTEST):
        return ""
    quarters = f" is {bpm:g} quarter notes a minute" if bpm is not None else " is beyond all music"
    return f"a tempo of `{found.value}`{quarters}"
