"""Write the user's files: completely or not at all, and never over others without --force."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.checkpoints import file as checkpoint_file

REPLACE_HINT = "choose another --output, or overwrite it with --force"
RESUME_HINT = "continue it with --resume, or overwrite it with --force"


def save(path: Path, data: bytes) -> None:
    """Write a file completely or not at all; a device or a named pipe is written to directly."""
    if not path.exists() or path.is_file():
        checkpoint_file.write_bytes(path, data)
        return
    with reporting_write_errors(path):
        path.write_bytes(data)


def save_without_sync(path: Path, data: bytes | bytearray) -> None:
    """Write one of many files, completely or not at all, without waiting for the disk as `save` does."""
    part = path.with_name(f".{path.name}.part")
    with reporting_write_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def is_complete(path: Path) -> bool:
    """Return whether a file was written; a power cut may leave an empty one."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def check_replaceable(path: Path, *, force: bool, hint: str = REPLACE_HINT) -> None:
    """Raise ComposerError if `path` is a folder, or a file that would be overwritten without `force`."""
    if path.is_dir():
        raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune.mid'}")
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
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some disk space; --resume continues a run of many pieces" if full else "choose another --output"
        raise ComposerError(f"cannot write {path}: {error.strerror or error}", hint) from error
