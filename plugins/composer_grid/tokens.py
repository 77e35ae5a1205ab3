"""What a grid is written with: a MIDI number strikes a note, `_` lets it go on, `r` begins a rest.

`55 _ _ _ 60 _ r _` is a G held for four steps, a C for two, and two steps of silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from composer.toolkit.representations.quantize import GridNote

HOLD, REST = "_", "r"


def decode_tokens(tokens: Iterable[str]) -> list[GridNote]:
    """The notes that tokens stand for; `_` goes on with what is before it, be it a note, a rest or the beginning."""
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
    """The place of the first token that means nothing; None where there is none."""
    meaning = {HOLD, REST, *map(str, range(128))}
    return next((at for at, token in enumerate(tokens) if token not in meaning), None)
