"""The pieces of files with their vectors, cached by model and files."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

import composer
from composer.analysis.hidden_states.piece_vectors import Progress, piece_vectors
from composer.analysis.hidden_states.run import HiddenStateModel
from composer.api import Piece, ReadError, Source
from composer.data.cache_key import code_digest
from composer.data.corpus import CorpusReader, content_digest
from composer.data.sources import absolute_argument
from composer.registry.json_types import misfit
from composer.system.cache_dir import MANIFEST, atomic_folder, mark_used, prune, reporting_write_errors
from composer.system.paths import cache_folder
from composer.system.private_folder import distrust
from composer.system.warnings import warn_once

VECTORS_FILE = "vectors.npy"
VECTORS_VERSION = 3
"""To be raised when vectors are made in another way, so that cached ones are made again."""

MAX_BYTES = 500 * 1024**2
"""Size of the cached vectors above which the least recently used are removed."""


class PieceInfo(NamedTuple):
    """What is known of a piece besides its vector; `digest` is that of its content."""

    name: str
    title: str
    labels: Mapping[str, str]
    digest: str


class _Manifest(TypedDict):
    pieces: list[tuple[str, str, dict[str, str], str]]
    rejected: dict[str, int]
    places: dict[str, list[str]]
    unreadable: list[str]
    losses: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Pieces and their vectors (N, D); what was skipped, and what the pieces lost, are as in ReadSummary."""

    pieces: Sequence[PieceInfo]
    vectors: NDArray[np.float32]
    rejected: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str]
    losses: Mapping[str, int]


def collect(
    model: HiddenStateModel, arguments: Sequence[str], found: Sequence[Source | ReadError],
    reading: Callable[[int, int], object] | None = None, running: Progress | None = None,
) -> Collection:  # fmt: skip
    """Return the pieces in the files `found`, from the cache if neither the model nor the files have changed.

    `arguments` are what the user named them by.

    `reading` is called as in CorpusReader, `running` as in `piece_vectors`. Raises ReadError if there is no piece, and
    ComposerError if the cache cannot be written.
    """
    folder = _entry(model, arguments, found)
    if folder is not None and (distrusted := distrust(folder.parent)) is not None:
        warn_once(f"ignored the cache, since {distrusted.reason}; {distrusted.hint}")
        folder = None
    if folder is not None and (cached := _load(folder)) is not None:
        mark_used(folder)
        return cached
    reader = CorpusReader(model.representation, arguments, found, reading)
    pieces = list(reader)
    rejected = reader.rejected
    vectors = piece_vectors(model, pieces, rejected.add, running)
    if not vectors.indices:
        raise ReadError(
            f"no piece that model {model.name} can read: {rejected.most_common()}",
            "name other files, or choose another model with --checkpoint NAME",
        )
    kept = [pieces[index] for index in vectors.indices]
    losses = Counter[str]()
    for piece in kept:
        losses.update(piece.losses)
    infos = list(map(_info, kept))
    collection = Collection(infos, vectors.values, rejected.counts, rejected.places, reader.unreadable, losses)
    if folder is not None:
        _save(folder, collection)
    return collection


def _info(piece: Piece) -> PieceInfo:
    return PieceInfo(piece.source, piece.title, dict(piece.labels), content_digest(piece).hex())


def _entry(model: HiddenStateModel, arguments: Sequence[str], found: Sequence[Source | ReadError]) -> Path | None:
    """Return the folder in the cache for these files as they are now; None if one has no time of change."""
    stamps = list[list[Any]]()
    for source in found:
        if isinstance(source, ReadError):
            stamps.append([source.message])
            continue
        try:
            if source.data is not None:
                stamps.append([source.name, hashlib.blake2b(source.data, digest_size=16).hexdigest()])
            else:
                stat = source.path.stat()
                stamps.append([source.name, stat.st_size, stat.st_mtime_ns])
        except OSError:
            return None
    code = code_digest(type(model.representation))
    key = [
        composer.__version__,
        VECTORS_VERSION,
        code,
        model.digest,
        [absolute_argument(each) for each in arguments],
        stamps,
    ]
    digest = hashlib.blake2b(json.dumps(key).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return cache_folder() / "hidden-states" / digest


def _load(folder: Path) -> Collection | None:
    """Return a cached collection, None if there is none or it is damaged."""
    with contextlib.suppress(OSError, ValueError, EOFError, RecursionError):
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if misfit(manifest, _Manifest, "") is not None:
            return None
        vectors = np.load(folder / VECTORS_FILE, allow_pickle=False)
        pieces = [PieceInfo(*each) for each in manifest.pop("pieces")]
        if vectors.dtype == np.float32 and vectors.ndim == 2 and len(vectors) == len(pieces):
            return Collection(pieces, vectors, **manifest)
    return None


def _save(folder: Path, collection: Collection) -> None:
    manifest = {
        "pieces": collection.pieces, "rejected": collection.rejected, "places": collection.places,
        "unreadable": list(collection.unreadable), "losses": collection.losses,
    }  # fmt: skip
    with atomic_folder(folder) as temporary, reporting_write_errors(folder):
        np.save(temporary / VECTORS_FILE, collection.vectors)
        (temporary / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    prune(folder.parent, folder, MAX_BYTES)
