"""Vectors of the pieces in files, for `similar` and `map`: choose the model, show progress, report what is skipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from composer.analysis.hidden_states.collection import Collection, PieceInfo, collect
from composer.analysis.hidden_states.run import HiddenStateModel, load
from composer.api import ReadError, Source
from composer.checkpoints import store
from composer.cli import inputs
from composer.cli.console import Console
from composer.cli.model_choice import choose_model
from composer.cli.render.reading_progress import ReadingProgress, report_skipped
from composer.data.sources import sources
from composer.formats.midi.text import printable_line
from composer.formats.read import suffixes_of


def choose(
    console: Console, files: Sequence[str], checkpoint: Path | None, read_stdin: Callable[[], bytes]
) -> HiddenStateModel:
    """Return the model `checkpoint`, by default the likeliest that can read the first of `files`.

    Raises ReadError, CheckpointError, and Unsupported if the model has no hidden states to show.
    """
    found = sources(files, sorted(inputs.suffixes()), read_stdin)
    if checkpoint is not None:
        return load(store.resolve_model(checkpoint))
    first = next((each for each in found if isinstance(each, Source)), None)
    if first is None:
        raise ReadError(f"no music or text in {', '.join(files)}", "name other files or folders")

    def use(path: Path) -> HiddenStateModel:
        model = load(path)
        next(inputs.pieces(first, model.representation))
        return model

    return choose_model(first, None, use, console)


def vectors_of(
    console: Console, model: HiddenStateModel, files: Sequence[str], read_stdin: Callable[[], bytes]
) -> Collection:
    """Return the pieces of `files` with their vectors, and report what was skipped. Raises ReadError."""
    named = list(sources(files, suffixes_of(model.representation), read_stdin))
    with ReadingProgress(console) as progress:
        found = collect(model, files, named, progress.update, progress.update_share)
    report_skipped(console, found)
    return found


def name_of(piece: PieceInfo) -> str:
    """Return the title and the place of a piece in one line, without control characters."""
    title, place = printable_line(piece.title), printable_line(piece.name)
    return f"{title} ({place})" if title and place and title != place else title or place
