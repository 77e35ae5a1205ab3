"""The arrays of one part of a corpus, and the files they are mapped from."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import EncodeError, Kind, Piece, Refused, Representation, SequenceSpec, Step

NO_STEPS = "it has symbols that the model has not learnt"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The pieces of one part, one after the other.

    `steps`: token ids (N,), the smallest unsigned integers that hold them, or frames (N, ceil(V / 8)) of packed bits.
    Piece p is `steps[offsets[p]:offsets[p + 1]]`. `conditions` (P, C): the index of each condition's value, -1 for
    none.
    """

    steps: NDArray[Any]
    offsets: NDArray[np.int64]
    conditions: NDArray[np.int32]

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return len(self.offsets) - 1

    @property
    def count(self) -> int:
        """How many steps they have together."""
        return len(self.steps)


def write_part(
    stem: Path, representation: Representation, pieces: Iterable[Piece], refuse: Callable[[Refused], object]
) -> dict[str, Any]:
    """Write the three files of a part, piece by piece; return what `open_part` must be told of them, as JSON.

    `refuse` is told of each piece that the representation has no steps for. What the steps of the others do not hold
    is counted in `losses`.
    """
    spec, offsets, conditions = representation.spec, [0], []
    losses: Counter[str] = Counter()
    with stem.with_suffix(".steps").open("wb") as file:
        for piece in pieces:
            try:
                steps = packed(representation, piece, spec)
            except EncodeError as error:
                refuse(Refused(NO_STEPS, piece.source, error.message.removeprefix(piece.source).strip()))
                continue
            file.write(steps.tobytes())
            offsets.append(offsets[-1] + len(steps))
            conditions.append(_indices(piece, spec))
            losses.update(representation.losses(piece))
    stem.with_suffix(".offsets").write_bytes(np.array(offsets, np.int64).tobytes())
    stem.with_suffix(".conditions").write_bytes(np.array(conditions, np.int32).tobytes())
    sums = {suffix: _checksum(stem.with_suffix(suffix)) for suffix in (".steps", ".offsets", ".conditions")}
    return {"pieces": len(offsets) - 1, "count": offsets[-1], "losses": dict(losses), "sums": sums}


def open_part(stem: Path, spec: SequenceSpec, written: Mapping[str, Any]) -> Part:
    """Map the files of a part. Raises OSError or ValueError where they are not as they were written."""
    for suffix, checksum in written["sums"].items():
        if _checksum(stem.with_suffix(suffix)) != checksum:
            raise ValueError(f"{stem}{suffix} is damaged")
    count, pieces = written["count"], written["pieces"]
    dtype, width = _layout(spec)
    return Part(
        _mapped(stem.with_suffix(".steps"), dtype, (count, *width)),
        _mapped(stem.with_suffix(".offsets"), np.dtype(np.int64), (pieces + 1,)),
        _mapped(stem.with_suffix(".conditions"), np.dtype(np.int32), (pieces, len(spec.conditions))),
    )


def pack(steps: Sequence[Step], spec: SequenceSpec) -> NDArray[Any]:
    """Steps as they stand in a Part: (N,) unsigned integers, or (N, ceil(V / 8)) packed bits, unit 0 first."""
    dtype, _ = _layout(spec)
    if spec.kind is Kind.TOKENS:
        return np.array(steps, dtype)
    frames = np.zeros((len(steps), spec.size), np.uint8)
    for row, units in enumerate(steps):
        frames[row, list(units)] = 1  # type: ignore[arg-type]
    return np.packbits(frames, axis=1)


def packed(representation: Representation, piece: Piece, spec: SequenceSpec) -> NDArray[Any]:
    """The steps of `piece` as they stand in a Part, by the representation's short cut where it has one."""
    data = representation.packed(piece)
    if data is None:
        return pack(representation.encode(piece), spec)
    dtype, width = _layout(spec)
    return np.frombuffer(data, dtype).reshape(-1, *width)


def _layout(spec: SequenceSpec) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The number type of a step, and the shape of one."""
    if spec.kind is Kind.FRAMES:
        return np.dtype(np.uint8), (-(-spec.size // 8),)
    return np.min_scalar_type(spec.size - 1), ()


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if 0 in shape:  # an empty file cannot be mapped
        return np.zeros(shape, dtype)
    # a plain array over the mapping, since indexing a memmap costs several times as much
    return np.asarray(np.memmap(path, dtype, "r", shape=shape)).view(np.ndarray)


def _indices(piece: Piece, spec: SequenceSpec) -> list[int]:
    """The index of the piece's value of each condition, -1 where it has none that is known."""
    return [
        values.index(piece.labels[name]) if piece.labels.get(name) in values else -1
        for name, values in spec.conditions.items()
    ]


def _checksum(path: Path) -> list[int]:
    """Size and CRC-32 of a file, read in pieces so that it is not all in memory."""
    size, checksum = 0, 0
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            size += len(data)
            checksum = zlib.crc32(data, checksum)
    return [size, checksum]
