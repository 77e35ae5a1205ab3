"""The name of an encoding: a digest of the sources' contents, and of everything else that decides what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import composer
from composer.api import ReadError, Representation, Source
from composer.data.splits import Split, read_list


def decisions(layout: int, representation: Representation, split: Split, *, fitted: bool, augment: bool) -> str:
    """All but the sources that decides what an encoding of this `layout` holds. Raises ReadError for a bad list."""
    listing = sorted(read_list(split.listing).items()) if split.listing else None
    decides = [
        layout, composer.__version__, _code(type(representation)), representation.name, representation.version,
        repr(representation.options), representation.state() if fitted else None,
        [split.valid, split.test, listing, sorted(split.files)], augment,
    ]  # fmt: skip
    return json.dumps(decides, sort_keys=True)


def contents(found: Mapping[str, Iterable[Source | ReadError]]) -> tuple[str, str]:
    """Digests of the sources of each part: of their places and contents, and of their contents alone.

    They are read one at a time, and a file in blocks, whatever its size.
    """
    placed, alone = (hashlib.blake2b(digest_size=16) for _ in range(2))
    for part in sorted(found):
        placed.update(f"{part}\n".encode())
        for source in found[part]:
            content = _content(source)
            placed.update(json.dumps([_place(source), content]).encode())
            alone.update(content.encode())
    return placed.hexdigest(), alone.hexdigest()


def digest(*parts: str) -> str:
    """A digest of texts on end, 32 characters long."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part.encode())
    return found.hexdigest()


def _code(kind: type[Any]) -> str:
    """A digest of the plugin's modules and of the packages that its readers use."""
    found = hashlib.blake2b(digest_size=16)
    for name in (kind.__module__.partition(".")[0], "composer.formats", "composer.music", "composer.toolkit"):
        try:
            spec = find_spec(name)  # whether it has been imported yet must not matter
        except ValueError:  # a class of the interpreter's own session has no file
            continue
        if spec is None or spec.origin is None:
            continue
        whole = spec.submodule_search_locations is not None
        for path in sorted(Path(spec.origin).parent.rglob("*.py")) if whole else [Path(spec.origin)]:
            found.update(path.read_bytes())
    return found.hexdigest()


def _place(source: Source | ReadError) -> str:
    """What of a source's place may matter to a reader: its path below the folder that was named."""
    if isinstance(source, ReadError):
        return ""
    return source.path.relative_to(source.root).as_posix() if source.root else source.path.name


def _content(source: Source | ReadError) -> str:
    """A digest of what a source holds, or of why it cannot be read."""
    try:
        if isinstance(source, ReadError):
            raise source
        if source.data is None and _within(source):
            with source.path.open("rb") as file:
                return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        return hashlib.blake2b(source.bytes(), digest_size=16).hexdigest()
    except ReadError as error:
        return digest(error.message)
    except OSError as error:
        return digest(str(error))


def _within(source: Source) -> bool:
    """Whether it is a file that is not too large to be read."""
    return source.path.is_file() and source.path.stat().st_size <= source.limit
