"""Tokens of grids: a MIDI number starts a note, `_` holds it, `r` starts a rest.

`55 _ _ _ 60 _ r _` is a G of four steps, a C of two, and two steps of rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from composer.toolkit.representations.quantize import GridNote

HOLD, REST = "_", "r"


def decode_tokens(tokens: Iterable[str]) -> list[GridNote]:
    """Return the notes of `tokens`; `_` continues the note or rest before it."""
    notes: list[GridNote] = []
    sounding = False
    for now, token in enumerate(tokens):
        if token == HOLD:
            if sounding:
                notes[-1] = notes[-1]._replace(length=notes[-1].length + 1)
        else:
            sounding = token != REST
            if sounding:
                notes.append(GridNote(now, int(token), 1))
    return notes


def first_invalid(tokens: Sequence[str]) -> int | None:
    """Return the index of the first invalid token, or None."""
    valid = {HOLD, REST, *map(str, range(128))}
    return next((at for at, token in enumerate(tokens) if token not in valid), None)
