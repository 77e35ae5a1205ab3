"""`composer originality`: passages copied from the training data.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from composer.api import CheckpointError, ReadError, Representation, Source
from composer.cli.console import Console
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.analysis.copying import Match
    from composer.data.score_reader import NamedScore
    from composer.music.contour import MelodyCollection


def originality(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, globs, zip archives, or - for stdin.")
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", "-c", metavar="NAME", help="Model name or file. [default: the one that generated the file]"
        ),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE...", help="Compare with these files, after the other files. [default: the training data]"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only results, warnings and errors.")] = False,
) -> None:
    """Find passages copied from the training data.

    For each piece, prints the longest run of notes that its melody shares with a training tune, in any key and at any
    speed. The report names the tune, its source and the bars where the run starts, counted as played, with repeats.
    Unrelated tunes often share runs of up to ten notes.
    """
    from composer.analysis.copying import longest_run
    from composer.analysis.melody_search import MelodyIndex
    from composer.cli import inputs
    from composer.cli.render.reading_progress import ReadingProgress, report_skipped
    from composer.data.score_reader import ScoreReader
    from composer.data.sources import sources

    console: Console = context.obj
    console.quiet = quiet
    found = sources(files, sorted(inputs.suffixes()))
    if corpus:
        reference = _corpus_reference(console, corpus)
    else:
        first = next(found, None)
        reference = _model_reference(checkpoint, first)
        found = chain([] if first is None else [first], found)
    if reference.melodies.left_out:
        console.warn(
            f"{count_noun(reference.melodies.left_out, 'tune')} did not fit in the model; copies from them go unnoticed"
        )
    reader, index = ScoreReader(found, reference.representation), MelodyIndex(reference.melodies)
    report = _Report(console, reference.name, len(reference.melodies.tunes), as_json)
    with ReadingProgress(console) as reading:
        for item in reader:
            if not console.stdout_is_terminal:
                reading.update(reader.files, reader.pieces)
            report.add(item, longest_run(item.score, index))
    report_skipped(console, reader)
    report.close()


class _Reference(NamedTuple):
    """The melodies to compare with, their name, and the representation that reads the music; None reads any."""

    name: str
    melodies: "MelodyCollection"
    representation: Representation | None = None


def _corpus_reference(console: Console, corpus: Sequence[str]) -> _Reference:
    """Return the melodies of files."""
    from composer.cli.render.reading_progress import ReadingProgress, report_skipped
    from composer.data.score_reader import ScoreReader
    from composer.data.sources import sources
    from composer.formats.read import music_suffixes

    reader = ScoreReader(sources(corpus, music_suffixes()))
    with ReadingProgress(console) as reading:
        melodies = reader.melodies(reading.update)
    report_skipped(console, reader)
    return _Reference(", ".join(corpus), melodies)


def _model_reference(checkpoint: Path | None, first: Source | ReadError | None) -> _Reference:
    """Return the training melodies of a model, by default of the one that fits the `first` file.

    Raises CheckpointError if there is no such model, or if it does not hold its melodies.
    """
    from composer.checkpoints import store
    from composer.checkpoints.file import load
    from composer.checkpoints.load import restore_representation
    from composer.checkpoints.training_melodies import training_melodies

    path = store.resolve_model(checkpoint) if checkpoint is not None else _choose_model(first)
    saved = load(path)
    representation, melodies = restore_representation(saved.header, path), training_melodies(saved.extra, path.name)
    if type(representation).score is Representation.score:
        message = f"`{representation.name}` is not music, so it has no melodies"
        raise CheckpointError(message, "use a music file and a music model")
    if melodies is None:
        raise CheckpointError(
            f"{path.name} does not hold the melodies of its training data",
            "name the training files: --corpus FILES, or train the model again",
        )
    return _Reference(path.stem, melodies, representation)


def _choose_model(first: Source | ReadError | None) -> Path:
    """Return the first model that can read the `first` file, else the likeliest. Raises CheckpointError."""
    from composer.cli.model_choice import candidates
    from composer.formats.read import is_music, no_music_error

    likeliest = None
    if isinstance(first, Source):
        with suppress(CheckpointError):
            for path in candidates(first):
                likeliest = likeliest or path
                if _can_read(path, first):
                    return path
    if likeliest is None and isinstance(first, Source) and not is_music(first):
        raise no_music_error(first)
    if likeliest is None:
        raise CheckpointError(
            "no model fits these files", "choose one with --checkpoint NAME, or compare with files: --corpus FILES"
        )
    return likeliest  # skipped pieces are reported, and it may be able to read the other files


def _can_read(path: Path, source: Source) -> bool:
    """Return True if the model at `path` can encode a piece of `source`."""
    from composer.checkpoints.file import read_header
    from composer.checkpoints.load import restore_representation
    from composer.data.score_reader import ScoreReader

    try:
        return next(iter(ScoreReader([source], restore_representation(read_header(path), path))), None) is not None
    except ReadError:
        return False


@dataclass(slots=True)
class _Report:
    """Print a line for each piece as it is found, or one JSON document at the end."""

    console: Console
    against: str
    tunes: int
    as_json: bool
    pieces: list[dict[str, Any]] = field(default_factory=list)

    def add(self, piece: "NamedScore", match: "Match | None") -> None:
        """Report a piece and its longest copied run."""
        self.pieces.append({"piece": piece.name, "title": piece.title, **_to_json(match)})
        if not self.as_json:
            title = f" ({piece.title})" if piece.title else ""
            self.console.write_prose(f"{piece.name}{title}: {_describe(match)}")

    def close(self) -> None:
        """Print how many pieces copy a long run."""
        from composer.analysis.copying import COPIED

        pieces = len(self.pieces)
        copied = sum(piece["notes"] >= COPIED for piece in self.pieces)
        if self.as_json:
            document = {
                "against": self.against,
                "tunes": self.tunes,
                "pieces": pieces,
                "copied": copied,
                "share": round(copied / pieces, 4),
                "found": self.pieces,
            }
            self.console.write_json(document, indent=2)
        self.console.say(
            f"{COPIED} or more consecutive notes copied from the {count_noun(self.tunes, 'tune')} in {self.against}: "
            f"{copied:,} of {count_noun(pieces, 'piece')} ({copied / pieces:.1%})"
        )


def _describe(match: "Match | None") -> str:
    if match is None:
        return "no copied run"
    others = f", and {count_noun(match.tunes - 1, 'other tune')}" if match.tunes > 1 else ""
    source = f" ({match.tune.source})" if match.tune.title and match.tune.source else ""
    return (
        f"{match.notes} notes from {_bar(match.at_bar)} match {match.tune.name or 'an untitled tune'}{source}"
        f" from {_bar(match.bar)}{others}"
    )


def _bar(number: int) -> str:
    """`bar 1`, or `the pickup` for bar 0."""
    return f"bar {number}" if number else "the pickup"


def _to_json(match: "Match | None") -> dict[str, Any]:
    if match is None:
        return {"notes": 0}
    own = {"notes": match.notes, "note": match.at, "bar": match.at_bar}
    tune = {"title": match.tune.title, "source": match.tune.source, "note": match.note, "bar": match.bar}
    return {**own, "tune": tune, "tunes": match.tunes}
