"""Digests that name an encoded data set in the cache: of the sources, and of all else that determines its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import composer
from composer.api import ReadError, Source
from composer.api.file_format import format_provider
from composer.api.limits import raised
from composer.data.build import BuildSpec
from composer.data.splits import read_list


class SourceDigests(NamedTuple):
    """Digests of all sources: of their contents with relative paths and splits, and of their `contents` alone.

    `size` is their size in bytes.
    """

    placed: str
    contents: str
    size: int


def build_settings_key(layout: int, spec: BuildSpec) -> str:
    """Return everything but the sources that determines an encoded data set. Raises ReadError for a bad list."""
    representation, split = spec.representation, spec.split
    fitted = None if spec.fitted is None else [representation.state(), spec.fitted.to_json()]
    listing = sorted(read_list(split.listing).items()) if split.listing else None
    settings = [
        layout, composer.__version__, code_digest(type(representation)), representation.name, representation.version,
        repr(representation.options), fitted, spec.conditions,
        [split.valid, split.test, listing, sorted(split.named_files)], spec.augment,
        *format_provider().distributions(), raised(1),
    ]  # fmt: skip
    return json.dumps(settings, sort_keys=True)


def source_digests(found: Mapping[str, Iterable[Source | ReadError]]) -> SourceDigests:
    """Read the sources of each split, in blocks, and return their digests."""
    placed, contents = (hashlib.blake2b(digest_size=16) for _ in range(2))
    total = 0
    for split in sorted(found):
        placed.update(f"{split}\n".encode())
        for source in found[split]:
            content, size = _content_digest(source)
            placed.update(json.dumps([_relative_path(source), content]).encode())
            contents.update(content.encode())
            total += size
    return SourceDigests(placed.hexdigest(), contents.hexdigest(), total)


def digest(*texts: str) -> str:
    """Return a digest of concatenated texts, 32 hexadecimal digits."""
    found = hashlib.blake2b(digest_size=16)
    for text in texts:
        found.update(text.encode())
    return found.hexdigest()


def code_digest(representation: type[Any]) -> str:
    """Return a digest of the plugin's modules and of the packages that its readers use."""
    found = hashlib.blake2b(digest_size=16)
    for name in (representation.__module__.partition(".")[0], "composer.formats", "composer.music", "composer.toolkit"):
        try:
            spec = find_spec(name)  # does not depend on what has been imported so far
        except ValueError:  # a class defined in an interactive session has no file
            continue
        if spec is None or spec.origin is None or not Path(spec.origin).is_file():
            continue
        package = spec.submodule_search_locations is not None
        for path in sorted(Path(spec.origin).parent.rglob("*.py")) if package else [Path(spec.origin)]:
            found.update(path.read_bytes())
    return found.hexdigest()


def _relative_path(source: Source | ReadError) -> str:
    """Return the path below the folder that the user named, which a reader may use for labels."""
    if isinstance(source, ReadError):
        return ""
    return source.path.relative_to(source.root).as_posix() if source.root else source.path.name


def _content_digest(source: Source | ReadError) -> tuple[str, int]:
    """Return a digest of a source's content, or of the reason why it cannot be read, and its size."""
    try:
        if isinstance(source, ReadError):
            raise source
        if source.data is None and (size := source.size()) <= source.limit and source.path.is_file():
            with source.path.open("rb") as file:
                return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest(), size
        data = source.bytes()
        return hashlib.blake2b(data, digest_size=16).hexdigest(), len(data)
    except (ReadError, OSError) as error:
        return digest(error.message if isinstance(error, ReadError) else str(error)), 0
