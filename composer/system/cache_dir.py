"""A cache folder of limited size: entries are written as a whole or not at all, and the least recently used go first.

    with atomic_folder(folder) as temporary:      # renamed to `folder` at the end, if nothing was raised
        with reporting_write_errors(folder):
            (temporary / "steps").write_bytes(steps)

Everything in it can be made again, so it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.system.files import is_disk_full
from composer.system.locks import Lock, NameInUse, acquire
from composer.system.private_folder import distrust, make_private

MAX_BYTES = 5 * 1024**3
"""Size of the cache above which the least recently used entries are removed."""

MANIFEST = "manifest.json"
"""The file that makes a folder an entry; its modification time is when the entry was last used."""

UNFINISHED_PREFIX, LOCK_SUFFIX = ".making-", ".lock"
"""Of the names of unfinished entries and of the files beside them, which are locked by those who write the entries."""
ABANDONED_SECONDS = 24 * 3600
"""An unfinished entry without a lock that has not changed for so long is of a process that was killed."""


def check_private(cache: Path) -> None:
    """Raise ComposerError if others can write to the folder `cache`, whose entries are trusted."""
    if (distrusted := distrust(cache)) is not None:
        raise ComposerError(f"cannot use the cache, since {distrusted.reason}", distrusted.hint)


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a new empty folder that replaces `folder` at the end; it is removed if anything is raised.

    If another process has written the same entry meanwhile, its folder stays, since it may already be in use. Raises
    ComposerError if it cannot be written.
    """
    before = _identity(folder)
    temporary = folder.parent / f"{UNFINISHED_PREFIX}{secrets.token_hex(8)}"
    with reporting_write_errors(folder):
        make_private(folder.parent)
        _remove_abandoned(folder.parent)
        lock = _lock(temporary)
    with lock:
        try:
            with reporting_write_errors(folder):
                temporary.mkdir(0o700)
            yield temporary
            if _identity(folder) in {None, before}:
                with reporting_write_errors(folder):
                    _replace(folder, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _lock(temporary: Path) -> Lock:
    """Lock an unfinished entry, which may not exist yet. Raises NameInUse if another process writes it, and OSError."""
    return acquire(temporary.with_name(temporary.name + LOCK_SUFFIX), temporary.name, "wait for it to end")


def _remove_abandoned(cache: Path) -> None:
    """Remove the unfinished entries that no process writes. Raises OSError if the folder cannot be read.

    Those without a lock are of earlier versions, or on a file system that cannot lock.
    """
    names = {path.name for path in cache.iterdir() if path.name.startswith(UNFINISHED_PREFIX)}
    for name in {name.removesuffix(LOCK_SUFFIX) for name in names}:
        temporary = cache / name
        with contextlib.suppress(OSError, NameInUse):  # another process may be removing it too
            if name + LOCK_SUFFIX in names:
                with _lock(temporary):
                    shutil.rmtree(temporary, ignore_errors=True)
            elif (
                time.time() - max(path.stat().st_mtime for path in [temporary, *temporary.iterdir()])
                > ABANDONED_SECONDS
            ):
                shutil.rmtree(temporary, ignore_errors=True)


def _replace(folder: Path, temporary: Path) -> None:
    _remove(folder)
    try:
        temporary.replace(folder)
    except OSError:
        if _identity(folder) is None:  # else another process was faster
            raise


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells an entry from others of its name; None if there is none."""
    try:
        status = (folder / MANIFEST).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def reporting_write_errors(folder: Path) -> Iterator[None]:
    """Raise ComposerError with a hint if writing the entry `folder` fails."""
    try:
        yield
    except OSError as error:
        raise ComposerError(
            f"cannot write encoded pieces to {folder.parent}: {error.strerror or error}",
            _write_hint(error, folder.parent),
        ) from error


def check_room(folder: Path, needed: float) -> None:
    """Raise ComposerError if the disk for the entry `folder` has less than `needed` bytes left."""
    free = _free_bytes(folder.parent)
    if needed > free:
        raise ComposerError(
            f"the encoded pieces need about {_megabytes(needed)}, but {folder.parent} has only {_megabytes(free)} free",
            "set COMPOSER_HOME to a folder with more space, or name fewer files",
        )


def mark_used(folder: Path) -> None:
    """Record that the entry `folder` is used now."""
    with contextlib.suppress(OSError):  # it may be another user's
        os.utime(folder / MANIFEST)


def prune(cache: Path, keep: Path, max_bytes: int | None = None) -> None:
    """Remove the least recently used entries but `keep` until `max_bytes` (MAX_BYTES) are left."""
    max_bytes = MAX_BYTES if max_bytes is None else max_bytes
    found = []
    for folder in _folders(cache):
        with contextlib.suppress(OSError):  # another process may be removing it too
            if (folder / MANIFEST).is_file() and not folder.name.startswith(UNFINISHED_PREFIX):
                found.append(((folder / MANIFEST).stat().st_mtime, _size(folder), folder))
    evict(found, max_bytes, keep)


def prune_files(folder: Path, max_bytes: int, keep: Path | None = None) -> None:
    """Remove the oldest files of `folder` but `keep` until at most `max_bytes` are left. Raises OSError."""
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may be removing it too
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
    evict(entries, max_bytes, keep)


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


def _remove(path: Path) -> None:
    """Remove what is at `path`, if anything: a folder, or whatever else stands in its place. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _folders(cache: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in cache.iterdir() if path.is_dir()]
    return []


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _write_hint(error: OSError, folder: Path) -> str:
    if not is_disk_full(error):
        return "set COMPOSER_HOME to a folder that you can write to"
    return f"{_megabytes(_free_bytes(folder))} free there; set COMPOSER_HOME to a folder with more space"


def _free_bytes(folder: Path) -> int:
    """Return the number of bytes free on the disk of `folder`, which may not exist yet."""
    return shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.is_dir())).free


def _megabytes(count: float) -> str:
    return f"{count / 2**20:,.0f} MB"
