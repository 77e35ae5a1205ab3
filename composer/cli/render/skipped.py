"""Warnings about pieces of a file that were skipped, since they cannot be read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from composer.api import RejectedPiece
from composer.cli.console import Console
from composer.cli.render.guesses import file_of, place_of
from composer.cli.render.text import count_noun
from composer.formats.read import located_reason

MAX_NAMED = 10
"""How many skipped pieces are named at once."""


def warn_of_skipped(console: Console, pieces: Sequence[RejectedPiece]) -> None:
    """Print a warning for each piece that was skipped, with its place and the reason, even if the console is quiet."""
    for piece in pieces[:MAX_NAMED]:
        console.warn(skipped_text(piece))
    if len(pieces) > MAX_NAMED:
        console.warn(f"skipped {count_noun(len(pieces) - MAX_NAMED, 'more piece')}")


def skipped_text(piece: RejectedPiece) -> str:
    """Return that a piece was skipped, and why: `skipped jigs.abc: tune 1: ... (line 7, column 4)`."""
    file = file_of(place_of(piece.source).label)
    hint = f"; for details: composer check {shlex.quote(file)}" if file else ""
    return f"skipped {piece.source}: {located_reason(piece)}{hint}"
