"""Write files whole or not at all, and open only files that can be read to their end.

A file is written under a temporary name beside its own: a random one, so that it is nobody else's, that is locked
while it is written. The first write in a folder removes temporary files that killed processes have left.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from composer.system.locks import try_lock
from composer.system.paths import make_folder

TEMPORARY = re.compile(r"\.composer-[0-9a-f]{16}\.tmp")
"""The names of temporary files."""
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL}
"""Errors of file systems without hard links."""
_swept: set[Path] = set()
"""The folders that this process has searched for temporary files of killed ones."""


class Occupied(FileExistsError):
    """A file that must not be replaced."""


def write_atomic(path: Path, data: bytes | bytearray, *, sync: bool = True, replace: bool = True) -> None:
    """Write a file, and its folder if needed, so that a reader finds the old or the new file and never a part.

    With `sync`, wait until the disk has it. Raises OSError; without `replace`, Occupied if there is such a file.
    """
    make_folder(path.parent)
    with _temporary(path.parent) as (temporary, file):
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
        if sys.platform == "win32":  # an open file cannot be renamed there
            file.close()
        if replace:
            temporary.replace(path)
        else:
            move_new(temporary, path)


def move_new(source: Path, path: Path) -> None:
    """Rename a file, atomically. Raises Occupied if there is already a file at `path`, and OSError."""
    try:
        if sys.platform == "win32":
            source.rename(path)  # which replaces nothing there
            return
        try:
            os.link(source, path, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # claim the name first
            os.close(create_exclusive(path))
            source.replace(path)
            return
        source.unlink()
    except FileExistsError as error:
        raise Occupied(error.errno, "it already exists", str(path)) from error


def create_exclusive(path: Path) -> int:
    """Create a file and open it for reading and writing. Raises FileExistsError, also for a link, and OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)


def open_existing(path: Path) -> int:
    """Open a file for reading and writing. Raises OSError, also for a link."""
    return os.open(path, os.O_RDWR | _FLAGS)


_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class NotAFile(OSError):
    """A pipe, a socket or a device instead of a file."""


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it. Raises OSError; NotAFile for what could block or have no end."""
    return _open_if(path, stat.S_ISREG)


def open_file_or_device(path: Path) -> BinaryIO:
    """Open a file or a device such as /dev/null to read it. Raises OSError; NotAFile for a pipe, which could block."""
    return _open_if(path, lambda mode: stat.S_ISREG(mode) or stat.S_ISCHR(mode))


def _open_if(path: Path, is_allowed: Callable[[int], bool]) -> BinaryIO:
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - Path.open has no opener; the caller closes it
    if not is_allowed(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAFile(errno.EINVAL, "not a regular file", str(path))
    return file


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a file. Raises OSError, also for one of more than `limit` bytes, a pipe or a device."""
    with open_regular(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit:,} bytes", str(path))
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def is_disk_full(error: OSError) -> bool:
    """Return whether the disk, or the user's quota, is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Create a temporary file in `folder`, locked so that no other process removes it. Yield its path and file."""
    if folder not in _swept:
        _swept.add(folder)
        _remove_leftovers(folder)
    while True:
        path = folder / f".composer-{os.urandom(8).hex()}.tmp"
        file = create_exclusive(path)
        if try_lock(file) is not False and os.fstat(file).st_nlink:
            break
        os.close(file)  # another process has just taken it for a leftover
    try:
        with os.fdopen(file, "wb") as stream:
            yield path, stream
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in `folder` that no process has locked."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - a folder may have a million files
            if TEMPORARY.fullmatch(name):
                _remove_leftover(folder / name)


def _remove_leftover(path: Path) -> None:
    with contextlib.suppress(OSError):
        file = open_existing(path)
        try:
            if try_lock(file):
                path.unlink()
        finally:
            os.close(file)
