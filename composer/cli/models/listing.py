"""The list of all models: the bundled ones, those of plugins, and the user's own."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError
from composer.api.fields import option
from composer.cli.render.table import table
from composer.cli.render.text import file_size

if TYPE_CHECKING:
    from composer.checkpoints.file import Header
    from composer.cli.console import Console

HEADINGS = ("name", "representation", "architecture", "size", "quality", "date", "")
FOLDED = tuple(HEADINGS.index(each) for each in ("", "size", "date", "architecture", "quality"))
"""The columns that a narrow terminal shows below the row, in this order."""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `composer models` without a subcommand."""

    names: bool = option(False, "Print names only, one per line.")
    json: bool = option(False, "Print JSON.")


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model in the list; `origin` is `own`, `bundled` or the distribution of a plugin, `training_bytes` the size of
    its training files.
    """

    name: str
    path: Path
    origin: str
    header: "Header"
    in_use: bool = False
    unfinished: bool = False
    training: bool = False
    hides_bundled: bool = False
    training_bytes: int = 0

    @property
    def quality(self) -> str:
        """The validation result, such as `1.140 bits per character`; empty if there is none."""
        record = self.header.record
        return f"{record['reported']:.3f} {record.get('unit', '')}" if record.get("reported") else ""

    @property
    def date(self) -> str:
        """The date of an own model's file."""
        if self.origin != "own":
            return ""
        return time.strftime("%Y-%m-%d", time.localtime(self.path.stat().st_mtime))

    def notes(self) -> Iterator[str]:
        """Yield what else there is to say."""
        if self.origin != "own":
            yield self.origin
        if self.in_use:
            yield "used by default"
        if self.training:
            yield "in training"
        elif self.unfinished:
            yield "unfinished"
        if self.training_bytes:
            yield f"training files {file_size(self.training_bytes)}"
        if self.hides_bundled:
            yield f"hides the bundled model; composer models rename {self.name} my-{self.name}"

    def to_json(self) -> Mapping[str, Any]:
        """Return all facts."""
        record = self.header.record
        return {
            "name": self.name, "origin": self.origin, "representation": self.header.representation,
            "architecture": self.header.model, "bytes": self.path.stat().st_size, "quality": record.get("reported"),
            "unit": record.get("unit"), "date": self.date or None, "in_use": self.in_use,
            "finished": not self.unfinished, "in_training": self.training, "hides_bundled": self.hides_bundled,
            "training_bytes": self.training_bytes, "path": str(self.path),
        }  # fmt: skip


def list_models(console: "Console", options: ListOptions) -> None:
    """List all trained models: the bundled ones, those of plugins, and your own.

    Without --checkpoint, `composer gen REP` and other commands use the bundled model of a representation, until
    `composer models use NAME` chooses another one. Quality is the result on held-out pieces; lower is better, but only
    models of the same data can be compared.
    """
    found = list(all_models(console))
    if options.json:
        console.write_json([model.to_json() for model in found], indent=1)
    elif options.names:
        console.write("".join(f"{model.name}\n" for model in found))
    else:
        width = console.width if console.stdout_is_terminal else None
        console.write(table([HEADINGS, *(_row(model) for model in found)], width, FOLDED))


def all_models(console: "Console") -> Iterator[ListedModel]:
    """Yield all models, the user's own last and newest first; warn of those of plugins that cannot be read."""
    from composer.checkpoints import store, training_files
    from composer.checkpoints.file import read_header

    used = _default_paths()
    for model in store.pretrained_models():
        try:
            header = read_header(model.path)
        except CheckpointError as error:
            console.warn(f"{model.distribution}: {error.message}")
            continue
        origin = "bundled" if store.bundled(model.name) == model.path else model.distribution
        yield ListedModel(model.name, model.path, origin, header, used(model.path, header.representation))
    for own in store.user_models():
        yield ListedModel(
            own.name, own.path, "own", own.header, used(own.path, own.header.representation), not own.finished,
            training_files.is_in_use(own.path), store.bundled(own.name) is not None, training_files.size(own.path),
        )  # fmt: skip


def _default_paths() -> Any:
    """Return a function that says whether a path is the default model of a representation."""
    from composer.checkpoints import store

    known = dict[str, Path | None]()

    def used(path: Path, representation: str) -> bool:
        if representation not in known:
            try:
                known[representation] = store.default(representation)
            except CheckpointError:  # the command that uses it reports it
                known[representation] = None
        return known[representation] == path

    return used


def _row(model: ListedModel) -> Sequence[str]:
    size = file_size(model.path.stat().st_size)
    header, notes = model.header, ", ".join(model.notes())
    return (model.name, header.representation, header.model, size, model.quality, model.date, notes)
