"""Write the user's files: completely or not at all, and never over others without --force."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.system import locks
from composer.system.files import Occupied, is_disk_full, write_atomic
from composer.system.locks import Lock

REPLACE_HINT = "use another --output, or overwrite it with --force"
RESUME_HINT = "continue it with --resume, or overwrite it with --force"
MAX_FILE_NAME = 255
"""In bytes, on most file systems."""
IN_USE_HINT = "wait for it to end, or use another --output"


def save(path: Path, data: bytes | bytearray, *, sync: bool = True, replace: bool) -> None:
    """Write a file completely or not at all, by default waiting for the disk; a device or a named pipe directly.

    Raises ComposerError, without `replace` also if the file has appeared since `check_replaceable`.
    """
    with reporting_write_errors(path):
        if not path.exists() or path.is_file():
            write_atomic(path, data, sync=sync, replace=replace)
        else:
            path.write_bytes(data)


def is_complete(path: Path) -> bool:
    """Return whether a file was written; a power cut may leave an empty one."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_size > 0 and stat.S_ISREG(status.st_mode)


def check_replaceable(path: Path, *, force: bool, hint: str = REPLACE_HINT) -> None:
    """Raise ComposerError if `path` is a folder, or a file that would be overwritten without `force`."""
    if path.is_dir():
        raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune'}")
    if path.is_file() and not force:
        raise ComposerError(f"{path} already exists", hint)


@contextlib.contextmanager
def reserved(path: Path, name: str = "") -> Iterator[Lock | None]:
    """Keep other processes from writing `path` too, called `name` in messages; None for a folder or a device.

    Its folder is created if needed, and removed if it is still empty at the end. Raises NameInUse, ComposerError.
    """
    if path.exists() and not path.is_file():
        yield None
        return
    new = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        with reporting_write_errors(path):
            lock = locks.acquire(_lock_path(path), name or str(path), IN_USE_HINT)
        with lock:
            yield lock
    finally:
        for folder in new:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _lock_path(path: Path) -> Path:
    """Return the path of the lock of an output; a long name is replaced by its digest, as file systems limit names."""
    name = f".{path.name}.composer-lock"
    if len(os.fsencode(name)) > MAX_FILE_NAME:
        import hashlib

        name = f".{hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.composer-lock"
    return path.with_name(name)


def new_folder_note(folder: Path) -> str:
    """Return a note for the message after writing, if `folder` has to be created first."""
    return "" if folder.exists() else f" (created {folder})"


@contextlib.contextmanager
def reporting_write_errors(path: Path) -> Iterator[None]:
    """Turn OSError into a ComposerError that names the file."""
    try:
        yield
    except Occupied as error:
        raise ComposerError(
            f"{path} already exists: it was written by another program meanwhile", REPLACE_HINT
        ) from error
    except OSError as error:
        hint = "free up disk space, or use another --output" if is_disk_full(error) else "use another --output"
        reason = f"{error.filename} is not a folder" if isinstance(error, FileExistsError) else error.strerror or error
        raise ComposerError(f"cannot write {path}: {reason}", hint) from error
