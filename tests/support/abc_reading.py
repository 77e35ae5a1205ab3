"""Read the body of a tune of ABC, show its notes as letters, and name its problems."""

from __future__ import annotations

from composer.api import Score
from composer.check.abc_tunes import tune_problems
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import read_score

HEADER = "X:1\nM:4/4\nL:1/4\nK:C\n"
NAMES = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B", 72: "c", 74: "d", 76: "e", 77: "f", 79: "g"}


def read(body: str, header: str = HEADER) -> Score:
    return read_score(f"{header}{body}\n")


def voices(score: Score) -> list[str]:
    """Return the notes of each part as letters; a note of one quarter each."""
    return ["".join(NAMES.get(note.pitch, "?") for note in part.notes) for part in score.parts]


def melody(body: str, header: str = HEADER) -> str:
    return voices(read(body, header))[0]


def kinds(text: str) -> list[str]:
    """Return the kinds of the problems that `composer check` finds in the first tune."""
    return [each.kind for each in tune_problems(parse_tune(split_tunes(text)[0]))]
