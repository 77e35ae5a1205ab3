"""Which encoding some files led to the last time, found by when they were changed rather than by what they hold.

A stamp is a digest of the paths of all files with their sizes, times and inodes. Where it is known, no byte of them is
read. As a file may be changed twice within a tick of its disk's clock, a stamp is kept only of files that had been at
rest for REST seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from composer.api import ReadError, Source
from composer.data.sources import files

REST = 2.5
"""Seconds. The coarsest clock of a disk in use, that of FAT, ticks every two."""

_FOLDER = "known"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stamp of some files, whether they were at `rest`, and how many bytes they have."""

    digest: str
    rest: bool
    size: int


@dataclass(frozen=True, slots=True)
class Known:
    """What files led to: the name of an encoding's folder, and the digest of their contents."""

    name: str
    digest: str


def stamp(decides: str, named: Mapping[str, Sequence[str]], suffixes: Sequence[str]) -> Stamp | None:
    """The stamp of all files that `named` has for each part, and of what else `decides` on an encoding.

    None where there are no files to look at, such as stdin. Raises ReadError for an argument that names nothing.
    """
    digest = hashlib.blake2b(decides.encode(), digest_size=16)
    newest = size = 0
    for part in sorted(named):
        digest.update(f"\n{part}:".encode())
        for source in files(named[part], suffixes):
            if isinstance(source, ReadError) or (status := _status(source)) is None:
                return None
            digest.update(json.dumps([str(source.path.absolute()), *status_of(status)]).encode())
            newest, size = max(newest, status.st_mtime_ns, status.st_ctime_ns), size + status.st_size
    return Stamp(digest.hexdigest(), newest < time.time_ns() - REST * 1e9, size)


def _status(source: Source) -> os.stat_result | None:
    """The status of a file; None where there is none, or it is stdin or another pipe."""
    if source.name == "-":
        return None
    with contextlib.suppress(OSError):
        status = source.path.stat()
        return status if stat.S_ISREG(status.st_mode) else None
    return None


def status_of(status: os.stat_result) -> list[int]:
    """What of a file's status changes whenever its content does."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def at_rest(statuses: Iterable[Sequence[int]]) -> bool:
    """Whether files of these statuses had been left alone for REST seconds."""
    return all(max(changed, moved) < time.time_ns() - REST * 1e9 for _, changed, moved, _ in statuses)


def recall(cache: Path, found: Stamp | None) -> Known | None:
    """What files with that stamp led to; None where it is not known."""
    if found is None or not found.rest:
        return None
    try:
        return Known(**json.loads((cache / _FOLDER / found.digest).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remember(cache: Path, found: Stamp | None, known: Known) -> None:
    """Keep what files with that stamp led to; that this cannot be kept is no error."""
    if found is None or not found.rest:
        return
    with contextlib.suppress(OSError):
        (cache / _FOLDER).mkdir(exist_ok=True)
        path = cache / _FOLDER / found.digest
        path.write_text(json.dumps({"name": known.name, "digest": known.digest}), "utf-8")


def prune(cache: Path) -> None:
    """Forget stamps whose encodings are gone."""
    with contextlib.suppress(OSError):
        for path in (cache / _FOLDER).iterdir():
            with contextlib.suppress(OSError, ValueError, TypeError):
                if not (cache / Known(**json.loads(path.read_text("utf-8"))).name).is_dir():
                    path.unlink()
