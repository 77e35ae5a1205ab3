"""Check the header fields of an ABC tune: its number, unknown letters, and unusual tempos."""

from __future__ import annotations

import re
from collections.abc import Iterator

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.lexer import Field
from composer.formats.abc.reader.tempo import has_number, parse_tempo
from composer.music.keys import Time

SLOWEST, FASTEST = 20, 300
"""The range of usual tempos, in BPM."""

_KNOWN = frozenset("ABCDEFGHIKLMNOPQRSTUVWXZmrsuvw+")
"""The letters of fields. `E` is from ABC 1.6; `u` and `v` are extensions of some programs."""


def header_problems(tune: Tune) -> Iterator[Problem]:
    """Yield the problems of the header fields."""
    for found in tune.fields:
        if found.name not in _KNOWN:
            message = f"unknown ABC field `{found.name}:`, ignored"
            yield Problem(found.line, found.column, "unknown field", message, Severity.WARNING)
        elif found.name == "X" and not found.value.isdecimal():
            message = f"invalid tune number `{found.value}`"
            yield Problem(found.line, found.column, "invalid number", message, Severity.WARNING)
        elif found.name == "Q" and (message := _tempo(tune, found)):
            yield Problem(found.line, found.column, "unusual tempo", message, Severity.WARNING)


_COUNT = re.compile(r"=\s*(\d+(?:\.\d+)?)|^\s*(\d+)\s*$")


def _tempo(tune: Tune, found: Field) -> str:
    """Return what is wrong with the tempo in a `Q:` field; empty if it is usual, or only words in quotes.

    A tempo in other beats, such as half notes, passes if the number itself is usual: 160 half notes per minute are 320
    quarter notes.
    """
    value = re.sub(r'"[^"]*"', "", found.value).strip()
    match = _COUNT.search(value)
    if match is None:
        words = value.replace('"', "")
        hint = "" if has_number(value) else f'; for words, write `Q:"{words}"`'
        return f"invalid tempo `{found.value}`{hint}" if words else ""
    unit = tune.unit or (tune.time or Time()).unit
    count, tempo = float(match[1] or match[2]), parse_tempo(found.value, unit)
    bpm = tempo.bpm if tempo is not None else None
    usual = bpm is not None and SLOWEST <= bpm <= FASTEST
    if usual or (match[1] and bpm is not None and SLOWEST <= count <= FASTEST):
        return ""
    if bpm is None:
        return f"impossible tempo `{found.value}`"
    return f"unusual tempo `{found.value}`: {bpm:,.6g} quarter notes per minute"
