"""Read zip archives within limits on their directory and on what they unpack to."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import BinaryIO

from composer.api import ReadError
from composer.api.limits import limit_hint, raised, read_up_to

MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Of the directory of an archive, which zipfile reads as a whole: about 200,000 members."""

MAX_MEMBERS = 100_000
"""A tenth of a millisecond is needed for each, however small it is."""

_HINT = "unpack it, and name its folder"


def open_archive(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open the zip archive in `file`. Raises ReadError for a directory that is too large, BadZipFile and OSError."""
    archive = zipfile.ZipFile(_BoundedReads(file, name))
    if (count := len(archive.filelist)) > raised(MAX_MEMBERS):
        fault = f"{name} has {count:,} files, more than {raised(MAX_MEMBERS):,}"
        raise ReadError(fault, limit_hint(_HINT, count, MAX_MEMBERS))
    return archive


def check_total(members: Iterable[zipfile.ZipInfo], name: str, limit: int) -> None:
    """Raise ReadError if `members` of the archive `name` claim more than `limit` bytes, before any is unpacked.

    zipfile never unpacks more of a member than it claims.
    """
    total = sum(member.file_size for member in members)
    if total > raised(limit):
        fault = f"{name} unpacks to {total // 2**20:,} MB, more than {raised(limit) // 2**20:,} MB"
        raise ReadError(fault, limit_hint(_HINT, total, limit))


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str, limit: int) -> bytes:
    """Return the content of a member, or its first `limit` + 1 bytes. Raises what zipfile does."""
    with archive.open(member) as file:
        return read_up_to(file, limit)


class _BoundedReads:
    """A file that refuses to read more at once than a directory may take."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name, self._max_bytes = file, name, raised(MAX_DIRECTORY_BYTES)
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(min(size, self._max_bytes) if size >= 0 else self._max_bytes + 1)
        if max(size, len(found)) > self._max_bytes:
            fault = f"the directory of the archive {self._name} is larger than {self._max_bytes // 2**20:,} MB"
            raise ReadError(fault, limit_hint(_HINT, size, MAX_DIRECTORY_BYTES))
        return found

    def seekable(self) -> bool:
        return True
