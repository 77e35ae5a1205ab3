"""The pieces of a source that `composer show` shows, and what is said about the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from composer.api import ReadError, RejectedPiece, Score, Source
from composer.check.loss_phrases import summary
from composer.cli.console import Console
from composer.cli.convert.losses import BAR_LINES_MOVED
from composer.cli.render.guesses import GuessPlace, warn_of_guesses
from composer.cli.render.skipped import warn_of_skipped
from composer.formats.musicxml.attributes import CLEF_CHANGES

TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
"""Suffixes of text files, which may still hold a tune."""


class Wanted(Protocol):
    """Which pieces of a source to show: number `tune`, else the first `limit`."""

    @property
    def tune(self) -> int | None: ...

    @property
    def limit(self) -> int: ...


@dataclass(frozen=True)
class Selection:
    """The selected pieces of `source`, which has others if `more`."""

    source: Source
    scores: list[Score]
    more: bool
    console: Console

    def report_losses(self, score: Score, moved: int, *, is_sheet: bool) -> None:
        """Say what reading lost of a piece and what it guessed, and how many bar lines are `moved` as it is shown.

        Changes of clef are only said of sheet music: a piano roll has no clefs.
        """
        label = self.source.label
        places = {phrase: GuessPlace(label, f"{label}: {place}") for phrase, place in score.places.items()}
        losses = warn_of_guesses(self.console, score.losses, places)
        if not is_sheet:
            losses.pop(CLEF_CHANGES, None)
        if losses := +Counter({**losses, BAR_LINES_MOVED: moved}):
            self.console.say(f"{self.source.label}: {summary(losses)}")

    def report_more(self) -> None:
        """Say how to see the other pieces, if there are any."""
        if self.more:
            self.console.say(f"{self.source.label} has more pieces: --tune N shows one, --limit N shows more")


def select(console: Console, source: Source, wanted: Wanted) -> Selection:
    """Return the pieces to show, and name those that were skipped on the way to them. Raises ReadError."""
    from composer.cli import inputs

    skipped = list[RejectedPiece]()
    scores, tune = inputs.playable_scores(source, skipped), wanted.tune
    selected = list(islice(scores, wanted.limit) if tune is None else islice(scores, tune - 1, tune))
    if not selected:
        raise ReadError(f"{source.label} has no piece {tune}", "use a lower number; the first piece is --tune 1")
    more = tune is None and next(scores, None) is not None
    warn_of_skipped(console, skipped)
    return Selection(source, selected, more, console)


def is_text(source: Source) -> bool:
    """Return True for text that is not music in any format."""
    from composer.formats.read import is_music

    data = source.bytes()
    known = source.path.suffix.lower() in TEXT_SUFFIXES or source.data is not None
    return known and bool(data.strip()) and b"\0" not in data and not is_music(source)
