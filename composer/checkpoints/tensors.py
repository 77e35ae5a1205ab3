"""Safetensors files: named arrays and texts, read through one descriptor and checked against the digest they hold.

A file that is replaced while it is read is therefore read whole, as it was when it was opened. The format is
described at https://huggingface.co/docs/safetensors. Of its types, those that numpy lacks are not read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedReader

    from numpy.typing import NDArray

MAX_HEADER = 8 * 1024 * 1024
DIGEST = "digest"
"""The metadata entry with the SHA-256 of the arrays, their names, types and shapes, and the other entries."""

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4",
    "I16": "<i2", "U16": "<u2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
"""Numpy's names of the types of safetensors."""

_EXPONENTS = {"F64": ("<u8", 0x7FF0 << 48), "F32": ("<u4", 0x7F80 << 16), "F16": ("<u2", 0x7C00)}
"""Integers as wide as the floats, and the bits of them that are all set in infinities and nans only."""


class InvalidFile(Exception):
    """A file that is no safetensors file, or an incomplete one."""


class LargeFile(Exception):
    """A file whose arrays have more bytes than are read, `size`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class DamagedFile(Exception):
    """A file whose content is not what was written; the message says which part."""


@dataclass(frozen=True, slots=True)
class Tensors:
    """The arrays and the metadata of a file, without its digest; `sha256` is that of all its `size` bytes."""

    arrays: dict[str, NDArray[Any]]
    metadata: dict[str, str]
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the header of a file says: each array's type, shape and place, by name, and the metadata."""

    arrays: Mapping[str, tuple[str, tuple[int, ...], int, int]]
    metadata: dict[str, str]


def read(path: Path, limit: int = sys.maxsize, check: Callable[[Mapping[str, str]], object] | None = None) -> Tensors:
    """Read a file. Raises OSError, InvalidFile, DamagedFile for another digest or values that are not finite.

    Before memory is taken for the arrays, `check` is called with the metadata and may raise any error. Raises
    LargeFile, also before that, if the arrays have more than `limit` bytes.
    """
    with _open(path) as file:
        header, layout, size = _read_header(file)
        if check is not None:
            check(layout.metadata)
        if size > limit:
            raise LargeFile(size)
        content = bytearray(size)
        if file.readinto(content) != size or file.read(1):
            raise InvalidFile
    recorded = layout.metadata.pop(DIGEST, None)
    if recorded is not None and recorded != _digest(layout, content):
        raise DamagedFile("its content does not match its digest")
    arrays = {name: _array(name, place, content) for name, place in layout.arrays.items()}
    sha256 = hashlib.sha256(header)
    sha256.update(content)
    return Tensors(arrays, layout.metadata, sha256.hexdigest(), len(header) + size)


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a file of the right size, without the arrays. Raises OSError, InvalidFile."""
    with _open(path) as file:
        layout = _read_header(file)[1]
    layout.metadata.pop(DIGEST, None)
    return layout.metadata


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of the arrays in a file of the right size, by name. Raises OSError, InvalidFile."""
    with _open(path) as file:
        return {name: shape for name, (_, shape, _, _) in _read_header(file)[1].arrays.items()}


def encode(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a file, equal for equal content, with its digest. Raises TypeError for types it lacks."""
    import numpy as np

    names = {np.dtype(kind): name for name, kind in _TYPES.items()}
    places, parts, start = {}, [], 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        kind = names.get(array.dtype.newbyteorder("<"))
        if kind is None:
            raise TypeError(f"`{name}` has the type {array.dtype}")
        parts.append(np.asarray(array, array.dtype.newbyteorder("<"), order="C").tobytes())
        places[name] = (kind, array.shape, start, start + len(parts[-1]))
        start += len(parts[-1])
    content = b"".join(parts)
    layout = _Layout(places, dict(metadata))
    layout.metadata[DIGEST] = _digest(layout, content)
    header = _header(layout)
    header += b" " * (-len(header) % 8)  # readers may map the arrays, which then must be aligned
    return len(header).to_bytes(8, "little") + header + content


def digest(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file. Raises OSError."""
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> BufferedReader:
    """Open a regular file; anything else is invalid, and a pipe is not waited for."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InvalidFile
    return file


def _read_header(file: BufferedReader) -> tuple[bytes, _Layout, int]:
    """Return the bytes before the arrays, what they say, and the size of all arrays. Raises InvalidFile."""
    head = file.read(8)
    length = int.from_bytes(head, "little")
    if not 2 <= length <= MAX_HEADER:
        raise InvalidFile
    text = file.read(length)
    try:
        described = json.loads(text)
        metadata = described.pop("__metadata__", {})
        arrays = {name: _place(each) for name, each in described.items()}
        if not all(isinstance(value, str) for value in metadata.values()):
            raise InvalidFile
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as error:
        raise InvalidFile from error
    end = 0
    for _, _, begin, stop in sorted(arrays.values(), key=lambda place: place[2:]):
        if begin != end:
            raise InvalidFile
        end = stop
    if os.fstat(file.fileno()).st_size != 8 + length + end:
        raise InvalidFile
    return head + text, _Layout(arrays, metadata), end


def _place(described: Mapping[str, Any]) -> tuple[str, tuple[int, ...], int, int]:
    """Return type, shape, begin and end of an array. Raises InvalidFile, or what a header of another shape raises."""
    kind, shape, (begin, end) = described["dtype"], tuple(described["shape"]), described["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise InvalidFile
    if end - begin != math.prod(shape) * int(_TYPES[kind][2:]):
        raise InvalidFile
    return kind, shape, begin, end


def _array(name: str, place: tuple[str, tuple[int, ...], int, int], content: bytearray) -> NDArray[Any]:
    """Return an array that shares memory with `content`. Raises DamagedFile, InvalidFile."""
    import numpy as np

    kind, shape, begin, _ = place
    try:
        array: NDArray[Any] = np.ndarray(shape, _TYPES[kind], content, begin)
    except (ValueError, OverflowError) as error:  # a shape that numpy cannot have
        raise InvalidFile from error
    if kind in _EXPONENTS:
        bits, exponent = _EXPONENTS[kind]
        mask = np.array(exponent, bits)
        if ((array.view(bits) & mask) == mask).any():  # for fp16, fifteen times as fast as isfinite
            raise DamagedFile(f"`{name}` has values that are not finite")
    return array


def _digest(layout: _Layout, content: bytes | bytearray) -> str:
    """Return the SHA-256 of the header, in one way to write it, and of the arrays."""
    found = hashlib.sha256(_header(layout))
    found.update(content)
    return found.hexdigest()


def _header(layout: _Layout) -> bytes:
    """Return the header as JSON, the arrays in the order of their places."""
    described: dict[str, Any] = {"__metadata__": dict(sorted(layout.metadata.items()))}
    for name, (kind, shape, begin, end) in sorted(layout.arrays.items(), key=lambda item: (*item[1][2:], item[0])):
        described[name] = {"dtype": kind, "shape": shape, "data_offsets": (begin, end)}
    return json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
