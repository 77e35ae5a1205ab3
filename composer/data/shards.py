"""Flat files of steps: written with their checksums as the steps come, and mapped into memory.

Steps are kept in shards of a bounded number of bytes (`train.0.steps`, `train.1.steps`, ...), so that no file outgrows
what a file system or a copy can take, and so that several processes can write at once. All shards but the last are of
one size: a step's shard is its number divided by that.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARD = 256 * 1024 * 1024
"""The most bytes of a shard."""

RELEASE = 1 << 16
"""After so many steps were looked at, the pages that they were on are no longer counted as memory of this process."""

UNRELEASED = 32 * 1024 * 1024
"""Shards of no more bytes than this are kept, since finding pages again takes half a millisecond for a window."""

Sum = list[int]
"""Size and CRC-32 of a file, or of several on end."""


class Writer:
    """A file that is written once, from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.size = self.checksum = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write on. Raises OSError."""
        self._file.write(data)
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)

    @property
    def sum(self) -> Sum:
        """Size and checksum so far."""
        return [self.size, self.checksum]

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._file.close()
            return
        with suppress(OSError):  # a full disk has been told of already
            self._file.close()


class ShardWriter:
    """As Writer, but over the shards of `stem`, in which steps of `width` bytes are not cut."""

    def __init__(self, stem: Path, width: int) -> None:
        self._stem, self._most = stem, max(1, SHARD // width) * width
        self._checksum = 0
        self.shards: list[Sum] = []
        self._begin()

    def write(self, data: bytes | memoryview) -> None:
        """Write on, in a new shard where this one is full. Raises OSError."""
        self._checksum = zlib.crc32(data, self._checksum)
        while data:
            room = self._most - self._shard.size
            if not room:
                self._end()
                self._begin()
                continue
            self._shard.write(data[:room])
            data = data[room:]

    @property
    def sum(self) -> Sum:
        """Size and checksum of all shards on end."""
        return [sum(size for size, _ in self.shards), self._checksum]

    def _begin(self) -> None:
        self._shard = Writer(shard_path(self._stem, len(self.shards)))

    def _end(self) -> None:
        self._shard.__exit__(None, None, None)
        self.shards.append(self._shard.sum)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()
        else:
            self._shard.__exit__(kind, error, trace)


class Steps:
    """The steps of all shards as one array (N,) or (N, W), as much of one as windows need: a length, and indexing.

    What was looked at is let go of again: it stays in the system's cache of files, but does not add up in this process.
    """

    def __init__(self, shards: Sequence[Path], dtype: np.dtype[Any], count: int, width: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, (count, *width)
        self._maps = [mapping for path in shards if (mapping := _mapping(path))]
        self._arrays = [np.frombuffer(mapping, dtype).reshape(-1, *width) for mapping in self._maps]
        self._per_shard = len(self._arrays[0]) if self._arrays else 1
        self._touched = 0
        self._releasing = hasattr(mmap, "MADV_DONTNEED") and sum(map(len, self._maps)) > UNRELEASED
        if sum(map(len, self._arrays)) != count:
            raise ValueError(f"there are not {count} steps in {len(shards)} shards")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: NDArray[np.integer[Any]] | slice) -> NDArray[Any]:
        """Copies of the steps at `index`, an array of any shape or a slice."""
        if isinstance(index, slice):
            index = np.arange(*index.indices(len(self)))
        self._touched += index.size
        if self._releasing and self._touched > RELEASE:
            self._release()
        if len(self._arrays) == 1:
            found: NDArray[Any] = self._arrays[0][index]
            return found
        shard, within = np.divmod(index, self._per_shard)
        found = np.empty((*index.shape, *self.shape[1:]), self.dtype)
        for number in np.unique(shard).tolist():
            there = shard == number
            found[there] = self._arrays[number][within[there]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _release(self) -> None:
        self._touched = 0
        for mapping in self._maps:
            mapping.madvise(mmap.MADV_DONTNEED)


def shard_path(stem: Path, number: int) -> Path:
    """The file of one shard."""
    return stem.with_suffix(f".{number}.steps")


def mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A file as an array. Raises OSError, or ValueError where its size is another."""
    mapping = _mapping(path)
    return np.frombuffer(mapping or b"", dtype).reshape(shape)


def checked(files: Mapping[Path, Sum]) -> None:
    """Read all files. Raises OSError or ValueError where one is not as it was written."""
    for path, expected in files.items():
        size, checksum = 0, 0
        for data in blocks(path):
            size, checksum = size + len(data), zlib.crc32(data, checksum)
        if [size, checksum] != list(expected):
            raise ValueError(f"{path} is damaged")


def blocks(path: Path) -> Iterator[bytes]:
    """What a file holds, a megabyte at a time. Raises OSError."""
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            yield data


def _mapping(path: Path) -> mmap.mmap | None:
    """A file as memory; None where it is empty, and cannot be."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return None
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
