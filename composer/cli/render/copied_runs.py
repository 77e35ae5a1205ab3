"""The longest copied run of each piece, as lines or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from composer.analysis.copying import COPIED, Match, MelodyIndex, longest_run, taught
from composer.api import CheckpointError, ReadError, Representation, Source
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import load as load_checkpoint
from composer.checkpoints import store
from composer.cli.console import Console
from composer.cli.model_choice import candidates
from composer.cli.render.reading_progress import ReadingProgress, report_left_out
from composer.cli.render.text import count_noun
from composer.data.score_reader import NamedScore, ScoreReader
from composer.data.sources import sources
from composer.formats.read import SUFFIXES
from composer.music.contour import MelodyCollection

__all__ = ["Reference", "compare", "corpus_reference", "model_reference"]


class Reference(NamedTuple):
    """What pieces are compared with: a name for it, its melodies, and the way in which a model reads music."""

    name: str
    melodies: MelodyCollection
    representation: Representation | None = None


def corpus_reference(console: Console, corpus: Sequence[str]) -> Reference:
    """The melodies of files that the user names."""
    hearing = ScoreReader(sources(corpus, SUFFIXES))
    with ReadingProgress(console) as reading:
        melodies = hearing.melodies(reading.update)
    report_left_out(console, hearing)
    return Reference(", ".join(corpus), melodies)


def model_reference(given: Path | None, first: Source | ReadError | None) -> Reference:
    """What a model was taught: the one that is `given`, else the one that fits the `first` file.

    Raises CheckpointError where there is none, or where it does not keep that.
    """
    path = store.resolve_model(given) if given is not None else _choose_model(first)
    header, melodies = checkpoint_file.read_header(path), taught(path)
    if melodies is None:
        raise CheckpointError(
            f"{path.name} does not hold the melodies of its training data",
            "name the training files: --corpus FILE, or train it again",
        )
    return Reference(path.stem, melodies, load_checkpoint.restore_representation(header))


def compare(console: Console, found: Iterable[Source | ReadError], against: Reference, as_json: bool) -> None:
    """Find and tell the longest run of each piece in what was `found`."""
    if against.melodies.left_out:
        console.warn(
            f"{count_noun(against.melodies.left_out, 'tune')} did not fit in the model; copies from them go unnoticed"
        )
    hearing, index = ScoreReader(found, against.representation), MelodyIndex(against.melodies)
    report = _Report(console, against.name, len(against.melodies.tunes), as_json)
    with ReadingProgress(console) as reading:
        for heard in hearing:
            if not console.stdout_is_terminal:
                reading.update(hearing.files, hearing.pieces)
            report.add(heard, longest_run(heard.score, index))
    report_left_out(console, hearing)
    report.close()


def _choose_model(first: Source | ReadError | None) -> Path:
    """The model to ask about files of which this is the first."""
    likeliest = None
    if isinstance(first, Source):
        with suppress(CheckpointError):
            for path in candidates(first):
                likeliest = likeliest or path
                if _can_read(path, first):
                    return path
    if likeliest is None:
        raise CheckpointError(
            "no model fits these files", "choose one with --checkpoint NAME, or compare with files: --corpus FILE"
        )
    return likeliest  # what it cannot have is counted, and the other files may be its own


def _can_read(path: Path, source: Source) -> bool:
    """Whether the model at `path` can have a piece of `source`."""
    try:
        representation = load_checkpoint.restore_representation(checkpoint_file.read_header(path))
        return next(iter(ScoreReader([source], representation)), None) is not None
    except ReadError:
        return False


@dataclass(slots=True)
class _Report:
    """What is found: a line for each piece as it comes, or one JSON document in the end."""

    console: Console
    against: str
    tunes: int
    as_json: bool
    pieces: list[dict[str, Any]] = field(default_factory=list)

    def add(self, heard: NamedScore, match: Match | None) -> None:
        """Tell what a piece shares with a tune, if anything."""
        self.pieces.append({"piece": heard.name, "title": heard.title, **_plain(match)})
        if not self.as_json:
            title = f" ({heard.title})" if heard.title else ""
            self.console.write(f"{heard.name}{title}: {_words(match)}\n")

    def close(self) -> None:
        """Tell how many of all pieces share much."""
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
            f"{copied:,} of {count_noun(pieces, 'piece')} ({copied / pieces:.1%}) copy {COPIED} or more "
            f"consecutive notes of one of {count_noun(self.tunes, 'tune')} of {self.against}"
        )


def _words(match: Match | None) -> str:
    if match is None:
        return "no copied run"
    others = f", and {count_noun(match.tunes - 1, 'other tune')}" if match.tunes > 1 else ""
    source = f" ({match.tune.source})" if match.tune.title and match.tune.source else ""
    return (
        f"{match.notes} notes from bar {match.at_bar}, also in {match.tune.name or 'an untitled tune'}{source}"
        f" from bar {match.bar}{others}"
    )


def _plain(match: Match | None) -> dict[str, Any]:
    """A match as JSON."""
    if match is None:
        return {"notes": 0}
    own = {"notes": match.notes, "note": match.at, "bar": match.at_bar}
    tune = {"title": match.tune.title, "source": match.tune.source, "note": match.note, "bar": match.bar}
    return {**own, "tune": tune, "tunes": match.tunes}
