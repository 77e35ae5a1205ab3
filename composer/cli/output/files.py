"""Write the user's files: completely or not at all, and never over others without --force."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.cli.output.filename_pattern import FilenamePattern
from composer.system import locks
from composer.system.files import Occupied, is_disk_full, write_atomic
from composer.system.locks import Lock

REPLACE_HINT = "use another --output, or overwrite it with --force"
RESUME_HINT = "continue it with --resume, or overwrite it with --force"
MAX_FILE_NAME = 255
"""In bytes, on most file systems."""
LOCK_SUFFIX = ".composer-lock"
"""That of the hidden file that is locked, after the name of the output; without a name, that of the folder."""
SECONDS_TO_GIVE_BACK = 1.0
"""How long to wait for a run that is being refused."""
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


def names_folder(output: str) -> bool:
    """Return whether an output is a folder: one that exists, or a name that ends with a slash; `""` is a mistake."""
    return output.endswith(("/", os.sep)) or (output != "" and Path(output).is_dir())


def is_complete(path: Path) -> bool:
    """Return whether a file was written; a power cut may leave an empty one."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_size > 0 and stat.S_ISREG(status.st_mode)


def is_taken(path: Path) -> bool:
    """Return whether `path` is a file, or a link that leads nowhere, which writing would replace."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def is_too_long(path: Path) -> bool:
    """Return whether the file system has no room for a name of this length, or for one of its folders."""
    if any(len(os.fsencode(part)) > MAX_FILE_NAME for part in path.parts):
        return True
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def check_replaceable(path: Path, *, force: bool, hint: str = REPLACE_HINT) -> None:
    """Raise ComposerError if `path` is a folder, or a file that would be overwritten without `force`."""
    if path.is_dir():
        raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune'}{path.suffix}")
    if is_taken(path) and not force:
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
            lock = _reserve(path, name or str(path))
        with lock:
            yield lock
    finally:
        for folder in new:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _reserve(path: Path, name: str) -> Lock:
    """Lock an output called `name` in messages, unless another run writes it. Raises NameInUse, OSError.

    `1.abc` is also one of the files of `%d.abc`, and `1/a.abc` one of `%d/a.abc`. So that of two such runs exactly one
    is refused, they look for each other's locks one after another. In several folders each first takes its own lock; if
    both then find the other's, the one whose files are in several folders is refused, and the other waits for that.
    """
    path = Path(os.path.realpath(path.parent), path.name)
    if not any(letter.isdigit() or letter == "%" for letter in str(path)):
        return locks.acquire(_lock_path(path), name, IN_USE_HINT)
    with locks.wait_for(path.with_name(LOCK_SUFFIX), f"the folder of {name}", IN_USE_HINT):
        for lock in _overlapping_locks(path, path.parent):
            locks.acquire(lock, name, IN_USE_HINT).release()
        own = locks.acquire(_lock_path(path), name, IN_USE_HINT)
    try:
        for folder in _folders_below(path):
            _check_free(path, folder, name, 0)
        for folder in _folders_above(path):
            _check_free(path, folder, name, SECONDS_TO_GIVE_BACK)
    except BaseException:
        own.release()
        raise
    return own


def _overlapping_locks(path: Path, folder: Path) -> list[Path]:
    """Return the locks in `folder` of other outputs that have files in common with the one at `path`."""
    own, found = FilenamePattern.of_one_name(path), []
    for name in os.listdir(folder):  # noqa: PTH208 - a folder may have a million files
        if name.startswith(".") and name.endswith(LOCK_SUFFIX) and name != LOCK_SUFFIX:
            other = FilenamePattern.of_one_name(folder / name[1:].removesuffix(LOCK_SUFFIX))
            if other.text != own.text and (own.overlaps(other) or other.overlaps(own)):
                found.append(folder / name)
    return found


def _check_free(path: Path, folder: Path, name: str, seconds: float) -> None:
    """Raise NameInUse if a run whose lock is in another `folder` still writes files of `path` after some seconds."""
    found = []
    with contextlib.suppress(OSError):  # a folder that cannot be listed, or that is gone
        found = _overlapping_locks(path, folder)
    for lock in found:
        with locks.wait_for(folder / LOCK_SUFFIX, f"the folder of {name}", IN_USE_HINT):
            locks.wait_for(lock, name, IN_USE_HINT, seconds).release()


def _folders_below(path: Path) -> Iterator[Path]:
    """Yield the folders that exist of numbered files in several folders."""
    parts = FilenamePattern.of_one_name(path).parts
    for depth in range(1, len(parts)):
        folders = FilenamePattern.within(str(path.parent), os.path.join(*parts[:depth])).existing()  # noqa: PTH118
        yield from (folder for _, folder in folders if folder.is_dir())


def _folders_above(path: Path) -> Iterator[Path]:
    """Yield the folders above from which on the number of a pattern may be in `path`."""
    for folder in path.parents:
        if any(letter.isdigit() for letter in folder.name):
            yield folder.parent


def _lock_path(path: Path) -> Path:
    """Return the path of the lock of an output; a long name is replaced by its digest, as file systems limit names."""
    name = f".{path.name}{LOCK_SUFFIX}"
    if len(os.fsencode(name)) > MAX_FILE_NAME:
        import hashlib

        name = f".{hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}{LOCK_SUFFIX}"
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
