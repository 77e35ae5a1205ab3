"""Choose the model for a file: the one that generated it, else the newest that can read it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from composer.api import CheckpointError, EncodeError, ReadError, Representation, Source
from composer.checkpoints import store
from composer.cli.console import Console
from composer.data.score_reader import suffix_of
from composer.formats import FORMATS, provenance
from composer.registry import plugins as registry

__all__ = ["candidates", "choose_model"]

Taken = TypeVar("Taken")


def candidates(source: Source) -> Iterator[Path]:
    """The models that may fit `source`, the likeliest first, each once.

    That is the one that composed it, by what it says, or else the newest of the same representation; then the newest
    of each representation that composes such files, and of each that reads them. Raises CheckpointError where there is
    none, ReadError where `source` cannot be read.
    """
    paths = dict[Path, None]()
    for find in (_by_provenance, _by_suffix):
        for path in find(source):
            if path not in paths:
                paths[path] = None
                yield path
    if not paths:
        raise CheckpointError(f"no model fits {source.label}", "choose one with --checkpoint NAME")


def choose_model(source: Source, given: Path | None, take: Callable[[Path], Taken], console: Console) -> Taken:
    """What `take` makes of the model that is `given`, else of the first one that fits `source`.

    A model does not fit whose `take` raises ReadError or EncodeError; where another one does, that is said, else the
    first such error is raised. Raises CheckpointError as `candidates` does.
    """
    refused: ReadError | EncodeError | None = None
    for path in [store.resolve_model(given)] if given is not None else candidates(source):
        try:
            taken = take(path)
        except (ReadError, EncodeError) as error:
            refused = refused or error
            continue
        if refused is not None:
            console.say(f"{refused.message}; using model {path.stem} instead")
        return taken
    assert refused is not None
    hint = "choose another model with --checkpoint NAME"
    raise type(refused)(refused.message, f"{refused.hint}; or {hint}" if refused.hint else hint) from refused


def _by_provenance(source: Source) -> Iterator[Path]:
    """The model that composed the first piece, else the one of the same representation that is played now."""
    try:
        told = provenance.read_first(source.bytes(), source.label)
    except ReadError:  # what is damaged says nothing; whether the music is, shows when it is read
        return
    name, digest = (told.facts.get(fact) for fact in ("representation", "model")) if told else (None, None)
    if not isinstance(name, str) or name not in {kind.name for kind in _representation_classes()}:
        return
    if isinstance(digest, str) and (path := store.with_digest(name, digest)):
        yield path
        return
    with contextlib.suppress(CheckpointError):
        yield store.default(name)


def _by_suffix(source: Source) -> Iterator[Path]:
    """The newest models that compose such files, and then those that read them."""
    suffix = suffix_of(source)
    reading = [kind for kind in _representation_classes() if suffix in kind.suffixes]
    for kind in sorted(reading, key=lambda kind: suffix not in FORMATS[kind.formats[0]].suffixes):
        with contextlib.suppress(CheckpointError):
            yield store.default(kind.name)


def _representation_classes() -> list[type[Representation]]:
    return [kind for loaded in registry.load_all() if (kind := loaded.representation)]
