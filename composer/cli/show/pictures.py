"""Draw what `composer show` found as one picture: music of any number of files, or the curve of one model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from composer.api import ReadError, Source, Unsupported, UsageError
from composer.cli.console import Console
from composer.cli.show.picture_file import PictureFile, as_roll_piece, with_surprisal
from composer.cli.show.selection import Wanted, is_text, select

if TYPE_CHECKING:
    from composer.pictures.roll import RollPiece


class WantedPicture(Wanted, Protocol):
    """Which pieces to draw, and whether colored by the surprisal of model `checkpoint`."""

    @property
    def surprise(self) -> bool: ...

    @property
    def checkpoint(self) -> Path | None: ...


def draw(
    console: Console, found: Iterable[Path | Source | ReadError], picture: PictureFile, wanted: WantedPicture
) -> None:
    """Draw the sources that were found, or a single model. Raises ReadError, UsageError, ComposerError."""
    shown = list(found)
    models = [each for each in shown if isinstance(each, Path)]
    if models and (len(shown) > 1 or wanted.surprise):
        raise UsageError(f"{models[0].stem} is a model, not a piece", "draw the training curve of one model at a time")
    if models:
        picture.write_curve(models[0])
        return
    pieces: list[RollPiece] = []
    for source in shown:
        if isinstance(source, ReadError):
            raise source
        if isinstance(source, Source):
            pieces += _pieces(console, source, wanted, is_sheet=picture.is_sheet)
    picture.write_pieces(pieces)


def roll_pieces(console: Console, source: Source, wanted: Wanted, *, is_sheet: bool = True) -> Iterator[RollPiece]:
    """Yield the selected pieces of a source, and say what was lost and what else there is. Raises ReadError.

    Bar lines move only in sheet music, if there is any and it cannot be written as the score says.
    """
    from composer.music.as_written import as_written
    from composer.music.bars import moved_bar_lines

    selected = select(console, source, wanted)
    for score in selected.scores:
        moved = moved_bar_lines(score) if is_sheet and as_written(score) is None else 0
        selected.report_losses(score, moved, is_sheet=is_sheet)
        yield as_roll_piece(score, source.path.stem)
    selected.report_more()


def _pieces(console: Console, source: Source, wanted: WantedPicture, *, is_sheet: bool) -> Iterator[RollPiece]:
    """Yield the selected pieces of a source. Raises UsageError for text."""
    if is_text(source):
        raise UsageError(f"{source.label} is text, which has no notes to draw", "leave out --output to print it")
    if not wanted.surprise:
        yield from roll_pieces(console, source, wanted, is_sheet=is_sheet)
        return
    from composer.analysis.surprisal import surprisal
    from composer.cli.render.surprisal import select_pieces

    found = select_pieces(console, source, wanted.checkpoint, wanted.tune, wanted.limit)
    for piece in found.pieces:
        try:
            yield with_surprisal(found.model, piece, surprisal(found.model, piece), found.name)
        except Unsupported as error:
            raise Unsupported(error.message, "use a model of notes: --checkpoint grid") from error
    if found.more:
        console.say(f"{source.label} has more pieces: --tune N shows one, --limit N shows more")
