"""Write the user's files: completely or not at all, and never over others without --force."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.system.files import is_disk_full, write_atomic

REPLACE_HINT = "use another --output, or overwrite it with --force"
RESUME_HINT = "continue it with --resume, or overwrite it with --force"


def save(path: Path, data: bytes | bytearray, *, sync: bool = True) -> None:
    """Write a file completely or not at all, by default waiting for the disk; a device or a named pipe directly."""
    with reporting_write_errors(path):
        if not path.exists() or path.is_file():
            write_atomic(path, data, sync=sync)
        else:
            path.write_bytes(data)


def is_complete(path: Path) -> bool:
    """Return whether a file was written; a power cut may leave an empty one."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def check_replaceable(path: Path, *, force: bool, hint: str = REPLACE_HINT) -> None:
    """Raise ComposerError if `path` is a folder, or a file that would be overwritten without `force`."""
    if path.is_dir():
        raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune'}")
    if path.is_file() and not force:
        raise ComposerError(f"{path} already exists", hint)


def new_folder_note(folder: Path) -> str:
    """Return a note for the message after writing, if `folder` has to be created first."""
    return "" if folder.exists() else f" (created {folder})"


@contextlib.contextmanager
def reporting_write_errors(path: Path) -> Iterator[None]:
    """Turn OSError into a ComposerError that names the file."""
    try:
        yield
    except OSError as error:
        hint = "free up disk space, or use another --output" if is_disk_full(error) else "use another --output"
        reason = f"{error.filename} is not a folder" if isinstance(error, FileExistsError) else error.strerror or error
        raise ComposerError(f"cannot write {path}: {reason}", hint) from error
