"""The folder that encodings are kept in: made whole or not at all, room looked for first, the least used given up.

    with making(folder) as made:           # a new folder beside it, which gets its name when all went well
        with keeping(folder):              # writes, whose failures are told with a way out
            (made / "steps").write_bytes(steps)

Whatever is here can be made again, and may be removed at any time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError

MAX_BYTES = 5 * 1024**3
"""The most bytes that encodings are kept in; beyond it, the least recently used are removed."""

MANIFEST = "manifest.json"
"""The file that makes a folder an encoding; the time of its last change is when the encoding was last used."""

UNFINISHED_PREFIX = ".making-"
ABANDONED_SECONDS = 24 * 3600
"""After so many seconds without a change, what was being made is taken to be of a process that was killed."""


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A new empty folder that takes the place of `folder` in the end; it is removed where anything is raised.

    Raises ComposerError where it cannot be written.
    """
    with temporary_folder(folder.parent) as made:
        yield made
        with reporting_write_errors(folder):
            if folder.exists():
                shutil.rmtree(folder)
            made.replace(folder)


@contextlib.contextmanager
def temporary_folder(cache: Path) -> Iterator[Path]:
    """A new empty folder in `cache`, for as long as this lasts. Raises ComposerError where it cannot be made."""
    with reporting_write_errors(cache / UNFINISHED_PREFIX):
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=cache, prefix=UNFINISHED_PREFIX))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def reporting_write_errors(folder: Path) -> Iterator[None]:
    """What is written to `folder` meanwhile may fail for want of room or of rights: ComposerError says what to do."""
    try:
        yield
    except OSError as error:
        raise ComposerError(
            f"cannot keep the encoded pieces in {folder.parent}: {error.strerror or error}",
            _write_hint(error, folder.parent),
        ) from error


def check_room(folder: Path, needed: float) -> None:
    """Raise ComposerError where the disk of `folder`, an encoding to be, has less than `needed` bytes left."""
    free = _free_bytes(folder.parent)
    if needed > free:
        raise ComposerError(
            f"the encoded pieces need about {_megabytes(needed)}, and {_megabytes(free)} are free in {folder.parent}",
            "set COMPOSER_HOME to a folder with more, or name fewer files",
        )


def mark_used(folder: Path) -> None:
    """Remember that the encoding `folder` is used now."""
    with contextlib.suppress(OSError):  # it may be another user's
        os.utime(folder / MANIFEST)


def prune(cache: Path, keep: Path, max_bytes: int | None = None) -> None:
    """Remove encodings, the least recently used first, until `max_bytes` bytes (MAX_BYTES) are left in `cache`; never
    `keep`.

    What a killed process left behind goes too.
    """
    max_bytes = MAX_BYTES if max_bytes is None else max_bytes
    found = []
    for folder in _folders(cache):
        with contextlib.suppress(OSError):  # another process may be removing it too
            if folder.name.startswith(UNFINISHED_PREFIX):
                changed = max(path.stat().st_mtime for path in [folder, *folder.iterdir()])
                if time.time() - changed > ABANDONED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
            elif (folder / MANIFEST).is_file():
                found.append(((folder / MANIFEST).stat().st_mtime, _size(folder), folder))
    evict(found, max_bytes, keep)


def evict(entries: list[tuple[float, int, Path]], max_bytes: int, keep: Path | None = None) -> None:
    """Remove the oldest of `entries` (time, bytes, path) until at most `max_bytes` are left; never `keep`."""
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= max_bytes:
            return
        if path == keep:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        total -= size


def _folders(cache: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in cache.iterdir() if path.is_dir()]
    return []


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _write_hint(error: OSError, folder: Path) -> str:
    """What to do where `folder` cannot be written to."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return "set COMPOSER_HOME to a folder that you may write to"
    return f"{_megabytes(_free_bytes(folder))} are free there; set COMPOSER_HOME to a folder with more"


def _free_bytes(folder: Path) -> int:
    """The bytes that are left on the disk that `folder` is, or would be, on."""
    return shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.is_dir())).free


def _megabytes(count: float) -> str:
    return f"{count / 2**20:,.0f} MB"
