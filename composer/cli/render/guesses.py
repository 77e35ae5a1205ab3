"""Warnings about music that was read by guess, since it is not valid ABC."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from composer.check.loss_phrases import counted
from composer.cli.console import Console


class GuessPlace(NamedTuple):
    """Where a guess is: the label of its source, and the place with it, `jigs.abc: tune 12, line 7, column 3`."""

    label: str
    shown: str


def place_of(piece: str) -> GuessPlace:
    """Return the place of a guess in a piece, such as `jigs.abc: tune 12`, or `jigs.abc` for its only piece."""
    label, colon, _ = piece.rpartition(": ")
    return GuessPlace(piece if not colon or file_of(piece) else label, piece)


def warn_of_guesses(console: Console, losses: Mapping[str, int], places: Mapping[str, GuessPlace]) -> dict[str, int]:
    """Print a warning for each kind of guess among `losses`, and return the others.

    `places` says by phrase where the first one is.
    """
    from composer.formats.abc.reader.guesses import GUESSES

    guessed = {phrase: count for phrase, count in losses.items() if phrase in GUESSES.values()}
    for phrase, count in guessed.items():
        first = places.get(phrase)
        file = file_of(first.label) if first else ""
        where = f", {'the first ' if count > 1 else ''}in {first.shown}" if first else ""
        hint = f"; for details: composer check {shlex.quote(file)}" if file else ""
        console.warn(f"{counted(count, phrase)}{where}{hint}")
    return {phrase: count for phrase, count in losses.items() if phrase not in guessed}


def file_of(label: str) -> str:
    """Return the file that `composer check` reads for the label of a source, which may be in an archive."""
    if label == "stdin":
        return "-"
    return next((str(path) for path in (Path(label), *Path(label).parents) if path.is_file()), "")
