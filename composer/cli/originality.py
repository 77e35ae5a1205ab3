"""`composer originality`: what of a piece stands in what a model was taught, and where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from composer.api import CheckpointError, ReadError, Source
from composer.cli.words import counted

if TYPE_CHECKING:
    from composer.api import Representation
    from composer.cli.console import Console
    from composer.core.hearing import Heard
    from composer.core.melodies import Melodies
    from composer.core.originality import Match


def originality(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Music: files, folders, globs, zips, or - for stdin.")
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The model; else your newest of such files, else the bundled one."),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Compare with this music, not with a model's. May be given more than once."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that is found as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print what is found, and nothing else.")] = False,
) -> None:
    """Find what of a piece is copied from what a model was taught.

    For each piece, the longest run of its melody that stands in some tune too, in whatever key and note values; with
    the tune's title and source, and the bars in which the run begins, as they are played. Models keep the melodies
    that they were taught for this. Runs of up to some ten notes are common to unrelated tunes.
    """
    from composer.cli import music
    from composer.cli.reading import Reading, report_left_out
    from composer.core.hearing import Hearing
    from composer.core.originality import Index, longest_run
    from composer.core.sources import sources

    console: Console = context.obj
    console.quiet = quiet
    found = sources(files, sorted(music.suffixes()))
    representation = None
    if corpus:
        against = ", ".join(corpus)
        melodies = _of_corpus(console, corpus)
    else:
        first = next(found, None)
        path = _model(checkpoint, first)
        against, melodies, representation = path.stem, *_of_model(path)
        found = chain([] if first is None else [first], found)
    if melodies.left_out:
        console.warn(f"{counted(melodies.left_out, 'tune')} more had no room, and may be copied unnoticed")
    hearing, report = Hearing(found, representation), _Report(console, against, len(melodies.tunes), as_json)
    index = Index(melodies)
    with Reading(console) as reading:
        for heard in hearing:
            if not console.draws:
                reading.tell(hearing.files, hearing.pieces)
            report.tell(heard, longest_run(heard.score, index))
    report_left_out(console, hearing)
    report.close()


def _of_corpus(console: Console, corpus: Sequence[str]) -> Melodies:
    """The melodies of files that the user names."""
    from composer.cli.reading import Reading, report_left_out
    from composer.core.hearing import Hearing
    from composer.core.sources import sources
    from composer.formats.scores import SUFFIXES

    hearing = Hearing(sources(corpus, SUFFIXES))
    with Reading(console) as reading:
        melodies = hearing.melodies(reading.tell)
    report_left_out(console, hearing)
    return melodies


def _of_model(path: Path) -> tuple[Melodies, Representation]:
    """What the model at `path` was taught, and the way in which it reads music."""
    from composer.core import checkpoint, player
    from composer.core.originality import taught

    header, melodies = checkpoint.read_header(path), taught(path)
    if melodies is None:
        raise CheckpointError(
            f"{path.name} keeps no melodies of what it was taught",
            "name the files that it was taught with --corpus, or train it again",
        )
    return melodies, player.restore_representation(header)


def _model(given: Path | None, first: Source | ReadError | None) -> Path:
    """The model to ask about a file."""
    from composer.cli import music
    from composer.core import models

    if given is not None:
        return models.located(given)
    with suppress(CheckpointError):
        if isinstance(first, Source):
            return music.model_for(first)
    raise CheckpointError("there is no model of such music yet", "name music to compare with, with --corpus")


@dataclass(slots=True)
class _Report:
    """What is found: a line for each piece as it comes, or one JSON document in the end."""

    console: Console
    against: str
    tunes: int
    as_json: bool
    pieces: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, heard: Heard, match: Match | None) -> None:
        self.pieces.append({"piece": heard.name, "title": heard.title, **_plain(match)})
        if not self.as_json:
            title = f" ({heard.title})" if heard.title else ""
            self.console.write(f"{heard.name}{title}: {_words(match)}\n")

    def close(self) -> None:
        from composer.core.originality import COPIED

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
            self.console.write(json.dumps(document, indent=2) + "\n")
        self.console.say(
            f"{copied:,} of {counted(pieces, 'piece')} ({copied / pieces:.1%}) share {COPIED} notes or more in a row "
            f"with one of {counted(self.tunes, 'tune')} of {self.against}"
        )


def _words(match: Match | None) -> str:
    if match is None:
        return "nothing is copied"
    others = f", and {counted(match.tunes - 1, 'other tune')}" if match.tunes > 1 else ""
    source = f" ({match.tune.source})" if match.tune.title and match.tune.source else ""
    return (
        f"{match.notes} notes from bar {match.at_bar}, as in {match.tune.name or 'a tune without a name'}{source}"
        f" from bar {match.bar}{others}"
    )


def _plain(match: Match | None) -> dict[str, Any]:
    """A match as JSON."""
    if match is None:
        return {"notes": 0}
    own = {"notes": match.notes, "note": match.at, "bar": match.at_bar}
    tune = {"title": match.tune.title, "source": match.tune.source, "note": match.note, "bar": match.bar}
    return {**own, "tune": tune, "tunes": match.tunes}
