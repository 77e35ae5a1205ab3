"""Choose the model for a file: the one that generated it, else the default of a representation that can read it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from composer.api import CheckpointError, EncodeError, ReadError, Source
from composer.checkpoints import store
from composer.cli.console import Console
from composer.cli.representation_argument import representations_reading
from composer.data.score_reader import suffix_of
from composer.formats import provenance
from composer.registry import plugins as registry

T = TypeVar("T")


def candidates(source: Source) -> Iterator[Path]:
    """Yield the models that may fit `source`, likeliest first, each once.

    First the one that generated it, or the default of the same representation; then the default of each representation
    that writes this format, and of each that reads it. Raises CheckpointError if there is none, ReadError if `source`
    cannot be read.
    """
    paths = dict[Path, None]()
    for find in (_by_provenance, _by_suffix):
        for path in find(source):
            if path not in paths:
                paths[path] = None
                yield path
    if not paths:
        raise CheckpointError(f"no model fits {source.label}", "choose one with --checkpoint NAME")


def choose_model(source: Source, given: Path | None, use: Callable[[Path], T], console: Console) -> T:
    """Return `use(path)` for the model `given`, else for the first candidate for which it succeeds.

    A model does not fit if `use` raises ReadError or EncodeError; the first such error is raised if none fits. Raises
    CheckpointError as `candidates` does.
    """
    first_error: ReadError | EncodeError | None = None
    for path in [store.resolve_model(given)] if given is not None else candidates(source):
        try:
            result = use(path)
        except (ReadError, EncodeError) as error:
            first_error = first_error or error
            continue
        if first_error is not None:
            console.say(f"{first_error.message}; using model {path.stem} instead")
        return result
    assert first_error is not None
    hint = "choose another model with --checkpoint NAME"
    full_hint = f"{first_error.hint}; or {hint}" if first_error.hint else hint
    raise type(first_error)(first_error.message, full_hint) from first_error


def _by_provenance(source: Source) -> Iterator[Path]:
    """Yield the model that generated the first piece, else the default of the same representation."""
    try:
        recorded = provenance.read_first(source.bytes(), source.label)
    except ReadError:  # damaged provenance is ignored; damaged music fails when it is read
        return
    name, digest = (recorded.facts.get(fact) for fact in ("representation", "model")) if recorded else (None, None)
    known = {kind.name for loaded in registry.load_all() if (kind := loaded.representation)}
    if not isinstance(name, str) or name not in known:
        return
    if isinstance(digest, str) and (path := store.with_digest(name, digest)):
        yield path
        return
    with contextlib.suppress(CheckpointError):
        yield store.default(name)


def _by_suffix(source: Source) -> Iterator[Path]:
    """Yield the default models of representations that write this format, then of those that read it."""
    for kind in representations_reading(suffix_of(source)):
        with contextlib.suppress(CheckpointError):
            yield store.default(kind.name)
