"""Flat files of steps, written with checksums and mapped into memory.

Steps are in shards of limited size (`train.0.steps`, `train.1.steps`, ...), so that no file is too large for a file
system. All shards but the last have the same size: a step's shard is its number divided by that.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.system.files import open_regular

SHARD_BYTES = 256 * 1024 * 1024
"""Maximum size of a shard."""

STEPS_BETWEEN_RELEASES = 1 << 16
"""After so many steps were read, their pages are released, so that they do not count as memory of this process."""

MAX_UNRELEASED_BYTES = 32 * 1024 * 1024
"""Up to this total size, pages are never released: mapping them again takes half a millisecond per batch."""

SizeAndChecksum = list[int]
"""Size and CRC-32 of a file, or of several concatenated."""


class ChecksumWriter(AbstractContextManager["ChecksumWriter"]):
    """A new file, with the checksum of what is written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.size = self.checksum = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append `data`. Raises OSError."""
        self._file.write(data)
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)

    @property
    def sum(self) -> SizeAndChecksum:
        """Size and checksum so far."""
        return [self.size, self.checksum]

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._file.close()
            return
        with suppress(OSError):  # of a full disk, which has been reported
            self._file.close()


class ShardWriter(AbstractContextManager["ShardWriter"]):
    """Like ChecksumWriter, but into shards of `stem`, which never split a step of `width` bytes."""

    def __init__(self, stem: Path, width: int) -> None:
        self._stem, self._shard_size = stem, max(1, SHARD_BYTES // width) * width
        self._checksum = 0
        self.shards: list[SizeAndChecksum] = []
        self._begin()

    def write(self, data: bytes | memoryview) -> None:
        """Append `data`, in a new shard when this one is full. Raises OSError."""
        self._checksum = zlib.crc32(data, self._checksum)
        while data:
            room = self._shard_size - self._shard.size
            if not room:
                self._end()
                self._begin()
                continue
            self._shard.write(data[:room])
            data = data[room:]

    @property
    def sum(self) -> SizeAndChecksum:
        """Size and checksum of all shards, concatenated."""
        return [sum(size for size, _ in self.shards), self._checksum]

    def _begin(self) -> None:
        self._shard = ChecksumWriter(shard_path(self._stem, len(self.shards)))

    def _end(self) -> None:
        self._shard.__exit__(None, None, None)
        self.shards.append(self._shard.sum)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._end()
        else:
            self._shard.__exit__(kind, error, trace)


class Steps:
    """The steps of all shards as an array (N,) or (N, W), with a length and indexing only.

    Pages that were read are released: they stay in the system's file cache, but do not add up in this process.
    """

    def __init__(self, shards: Sequence[Path], dtype: np.dtype[Any], count: int, width: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, (count, *width)
        self._maps = [mapping for path in shards if (mapping := _memory_map(path))]
        self._arrays = [np.frombuffer(mapping, dtype).reshape(-1, *width) for mapping in self._maps]
        self._per_shard = len(self._arrays[0]) if self._arrays else 1
        self._touched = 0
        self._releasing = hasattr(mmap, "MADV_DONTNEED") and sum(map(len, self._maps)) > MAX_UNRELEASED_BYTES
        if sum(map(len, self._arrays)) != count:
            raise ValueError(f"expected {count} steps in {len(shards)} shards")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: NDArray[np.integer[Any]] | slice) -> NDArray[Any]:
        """Return copies of the steps at `index`, an array of any shape or a slice."""
        if isinstance(index, slice):
            index = np.arange(*index.indices(len(self)))
        self._touched += index.size
        if self._releasing and self._touched > STEPS_BETWEEN_RELEASES:
            self._release()
        if len(self._arrays) == 1:
            found: NDArray[Any] = self._arrays[0][index]
            return found
        shard, within = np.divmod(index, self._per_shard)
        found = np.empty((*index.shape, *self.shape[1:]), self.dtype)
        for number in np.unique(shard).tolist():
            mask = shard == number
            found[mask] = self._arrays[number][within[mask]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _release(self) -> None:
        self._touched = 0
        for mapping in self._maps:
            mapping.madvise(mmap.MADV_DONTNEED)


def shard_path(stem: Path, number: int) -> Path:
    """Return the path of a shard."""
    return stem.with_suffix(f".{number}.steps")


def map_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Map a file into memory as an array. Raises OSError, or ValueError if it has another size."""
    return np.frombuffer(_memory_map(path) or b"", dtype).reshape(shape)


def verify(files: Mapping[Path, SizeAndChecksum]) -> None:
    """Compare files with their sizes and checksums. Raises OSError, or ValueError if one is damaged."""
    for path, expected in files.items():
        size, checksum = 0, 0
        with open_regular(path) as file:
            while data := file.read(1 << 20):
                size, checksum = size + len(data), zlib.crc32(data, checksum)
        if [size, checksum] != list(expected):
            raise ValueError(f"{path} is damaged")


def _memory_map(path: Path) -> mmap.mmap | None:
    """Map a file into memory; None if it is empty, since that cannot be mapped."""
    with open_regular(path) as file:
        if not os.fstat(file.fileno()).st_size:
            return None
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
