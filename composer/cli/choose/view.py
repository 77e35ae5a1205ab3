"""Show continuations in the terminal: their text, and a piano roll of their notes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from composer.api import Piece, Representation, Score
from composer.cli.choose.continuations import Draft
from composer.cli.choose.phrases import header_of
from composer.cli.gen.default_candidates import score_of
from composer.cli.render.piano_roll import picture
from composer.cli.render.sketch import sketch
from composer.cli.render.text import truncate, wrap
from composer.music.bars import COMMON_TIME

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.text import Text

    from composer.cli.console import Console

MAX_SYSTEMS = 2
"""Lines of the piano roll of a phrase."""
MIN_SKETCH_ROWS = 2
"""Rows that must be left for a sketch of the notes below their text."""
MAX_SKETCH_WIDTH = 80
INDENT = len("(1) ")

_REPEATS = re.compile(r"^\|:|:\|", re.MULTILINE)

TEXTS = ("abc", "text")
"""Formats of representations that can be read as they are."""


class DraftView:
    """Shows drafts of a representation on a console's stderr."""

    def __init__(self, console: Console, representation: Representation) -> None:
        self._console, self._representation = console, representation

    def show(self, draft: Draft, labels: Mapping[str, str], key: str, rows: int) -> None:
        """Print the last phrase of a draft in at most `rows` rows: with its piano roll if that fits, else folded."""
        width, canvas = self._console.width, self._console.rich_console(self._console.stderr)
        text = self.text(draft.steps)[len(self.text(draft.steps[: draft.begin])) :].strip()
        score, end = self.phrase(draft, labels), "(the piece ends here)" if draft.ended else ""
        roll = _roll(score, canvas) if score is not None else []
        lines = ["", f"({key})   {end}".rstrip(), *(each for line in text.splitlines() for each in wrap(line, width))]
        if len(lines) + sum(len(system.split("\n")) for system in roll) <= rows:
            self._console.print_error("\n".join(lines))
            for system in roll:
                canvas.print(system)
            return
        lines = self._folded(text, end, width - INDENT, rows)
        if score is not None and (left := rows - len(lines)) >= (MIN_SKETCH_ROWS if text else 1):
            lines += sketch(score, min(width - INDENT, MAX_SKETCH_WIDTH), left, ascii_only=canvas.options.ascii_only)
        self._console.print_error(
            "\n".join(" " * INDENT + line for line in lines).replace(" " * INDENT, f"({key}) ", 1)
        )

    def _folded(self, text: str, end: str, width: int, rows: int) -> list[str]:
        """Return text in at most `rows` lines: the header of a tune in one, then as much of the rest as fits."""
        header = header_of(text) if self._representation.native == "abc" else ""
        lines = [each for line in (*text[len(header) :].splitlines(), end) for each in wrap(line, width)]
        if header and rows > 1:
            lines.insert(0, truncate("  ".join(header.splitlines()), width))
        return lines if len(lines) <= rows else [*lines[: rows - 1], truncate(f"{lines[rows - 1]} …", width)]

    def text(self, steps: Sequence[object]) -> str:
        """Return steps as text that can be read; empty if they are none."""
        if self._representation.native not in TEXTS:
            return ""
        return self._representation.text(self._representation.decode(steps))

    def phrase(self, draft: Draft, labels: Mapping[str, str]) -> Score | None:
        """Return the last phrase of a draft as music of its own, without repeats; None if it has none."""
        if self._representation.native == "abc":
            text, before = self.text(draft.steps), self.text(draft.steps[: draft.begin])
            line = _REPEATS.sub(lambda found: "|" * found[0].startswith(":"), text[len(before) :].lstrip("\n"))
            score = self._representation.score(Piece(header_of(before) + line, labels=labels))
        else:
            before_score = score_of(self._representation, draft.steps[: draft.begin], labels)
            whole = score_of(self._representation, draft.steps, labels)
            score = _since(whole, before_score.duration) if whole is not None and before_score is not None else None
        return score if score is not None and score.is_audible else None


def _roll(score: Score, canvas: RichConsole) -> list[Text]:
    """Return the systems of a piano roll, without the blank lines around them."""
    systems = picture(score, canvas, MAX_SYSTEMS)
    next(systems)  # the caption
    found = [system[len(system.plain) - len(system.plain.lstrip("\n")) :] for system in systems]
    for system in found:
        system.rstrip()
    return found


def _since(score: Score, beat: Fraction) -> Score:
    """Return the notes of `score` from the first bar line at or after `beat` on, as a score of their own."""
    bar = (score.meters[0] if score.meters else COMMON_TIME).bar
    begin = score.pickup + ceil((beat - score.pickup) / bar) * bar if beat else Fraction(0)
    notes = (tuple(each for each in part.notes if each.onset >= begin) for part in score.parts)
    moved = (tuple(each._replace(onset=each.onset - begin) for each in some) for some in notes)
    parts = tuple(dataclasses.replace(part, notes=some) for part, some in zip(score.parts, moved, strict=True))
    pickup = Fraction(0) if begin else score.pickup
    return dataclasses.replace(score, parts=parts, pickup=pickup, notation=None)
