"""The arrays of one part of a corpus, and the files they are mapped from."""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import EncodeError, Piece, RejectedPiece, Representation, SequenceSpec, Step, StepKind
from composer.data import shards

NO_STEPS = "it has symbols that the model has not learnt"

USUAL = 0.98
"""The share of pieces that are no longer than usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The pieces of one part, one after the other.

    `steps`: token ids (N,), the smallest unsigned integers that hold them, or frames (N, ceil(V / 8)) of packed bits.
    Piece p is `steps[offsets[p]:offsets[p + 1]]`. `conditions` (P, C): the index of each condition's value, -1 for
    none.
    """

    steps: NDArray[Any] | shards.Steps
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

    @property
    def usual_length(self) -> int:
        """The most steps of a piece that is no longer than all but one in 50 of them; 0 where there is none."""
        lengths = np.diff(self.offsets)
        return int(np.quantile(lengths, USUAL, method="inverted_cdf")) if len(lengths) else 0


def write_part(
    stem: Path, representation: Representation, pieces: Iterable[Piece], refuse: Callable[[RejectedPiece], object]
) -> dict[str, Any]:
    """Write the files of a part, piece by piece; return what `open_part` must be told of them, as JSON.

    `refuse` is told of each piece that the representation has no steps for. What the steps of the others do not hold
    is counted in `losses`.
    """
    spec = representation.spec
    losses: Counter[str] = Counter()
    with _PartWriter(stem, spec) as part:
        for piece in pieces:
            try:
                steps = packed(representation, piece, spec)
            except EncodeError as error:
                refuse(RejectedPiece(NO_STEPS, piece.source, error.message.removeprefix(piece.source).strip()))
                continue
            part.add(steps, _indices(piece, spec))
            losses.update(representation.losses(piece))
    return part.written | {"losses": dict(losses)}


def join_parts(stem: Path, spec: SequenceSpec, written: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """Write what was `written` under several stems as one part, byte for byte as `write_part` had written it."""
    losses: Counter[str] = Counter()
    with _PartWriter(stem, spec) as part:
        for each, made in written.items():
            part.join(each, made)
            losses.update(made["losses"])
    return part.written | {"losses": dict(losses)}


def open_part(stem: Path, spec: SequenceSpec, written: Mapping[str, Any], *, check: bool = True) -> Part:
    """Map the files of a part. Raises OSError or ValueError where they are not as they were written.

    Without `check`, only their sizes are looked at.
    """
    if check:
        shards.checked(_files(stem, written))
    count, pieces = written["count"], written["pieces"]
    dtype, width = _layout(spec)
    return Part(
        shards.Steps(
            [shards.shard_path(stem, number) for number in range(len(written["shards"]))], dtype, count, width
        ),
        shards.mapped(stem.with_suffix(".offsets"), np.dtype(np.int64), (pieces + 1,)),
        shards.mapped(stem.with_suffix(".conditions"), np.dtype(np.int32), (pieces, len(spec.conditions))),
    )


def files_of(stem: Path, written: Mapping[str, Any]) -> list[Path]:
    """All files of a part."""
    return list(_files(stem, written))


def size_of(representation: Representation, pieces: Iterable[Piece]) -> int:
    """How many bytes `pieces` take in a part."""
    spec, size = representation.spec, 0
    for piece in pieces:
        with suppress(EncodeError):
            size += packed(representation, piece, spec).nbytes + 8 + 4 * len(spec.conditions)
    return size


class _PartWriter:
    """The files of a part while they are written; afterwards, `written` says what is in them."""

    def __init__(self, stem: Path, spec: SequenceSpec) -> None:
        dtype, width = _layout(spec)
        self._spec, self._pieces, self._count = spec, 0, 0
        self._stack = ExitStack()
        self._steps = self._stack.enter_context(shards.ShardWriter(stem, dtype.itemsize * math.prod(width)))
        self._offsets = self._stack.enter_context(shards.Writer(stem.with_suffix(".offsets")))
        self._conditions = self._stack.enter_context(shards.Writer(stem.with_suffix(".conditions")))
        self._offsets.write(_number(0))

    def add(self, steps: NDArray[Any], conditions: Sequence[int]) -> None:
        """Write one more piece. Raises OSError."""
        self._steps.write(steps.tobytes())
        self._pieces += 1
        self._count += len(steps)
        self._offsets.write(_number(self._count))
        self._conditions.write(array("i", conditions).tobytes())

    def join(self, stem: Path, written: Mapping[str, Any]) -> None:
        """Write the pieces of another part too. Raises OSError."""
        other = open_part(stem, self._spec, written, check=False)
        for path in files_of(stem, written):
            if path.suffix == ".steps":
                for block in shards.blocks(path):
                    self._steps.write(block)
        self._offsets.write((other.offsets[1:] + self._count).tobytes())
        self._conditions.write(other.conditions.tobytes())
        self._pieces += other.pieces
        self._count += other.count

    @property
    def written(self) -> dict[str, Any]:
        """What `open_part` must be told: `sums` are of all steps on end, `shards` of each file of them."""
        sums = {".steps": self._steps.sum, ".offsets": self._offsets.sum, ".conditions": self._conditions.sum}
        return {"pieces": self._pieces, "count": self._count, "sums": sums, "shards": self._steps.shards}

    def __enter__(self) -> _PartWriter:
        return self

    def __exit__(self, *params: Any) -> None:
        self._stack.__exit__(*params)


def pack(steps: Sequence[Step], spec: SequenceSpec) -> NDArray[Any]:
    """Steps as they stand in a Part: (N,) unsigned integers, or (N, ceil(V / 8)) packed bits, unit 0 first."""
    dtype, _ = _layout(spec)
    if spec.kind is StepKind.TOKENS:
        return np.array(steps, dtype)
    frames = np.zeros((len(steps), spec.size), np.uint8)
    for row, units in enumerate(steps):
        frames[row, list(units)] = 1  # type: ignore[arg-type]
    return np.packbits(frames, axis=1)


def packed(representation: Representation, piece: Piece, spec: SequenceSpec) -> NDArray[Any]:
    """The steps of `piece` as they stand in a Part, by the representation's short cut where it has one."""
    data = representation.encode_packed(piece)
    if data is None:
        return pack(representation.encode(piece), spec)
    dtype, width = _layout(spec)
    return np.frombuffer(data, dtype).reshape(-1, *width)


def _layout(spec: SequenceSpec) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The number type of a step, and the shape of one."""
    if spec.kind is StepKind.FRAMES:
        return np.dtype(np.uint8), (-(-spec.size // 8),)
    return np.min_scalar_type(spec.size - 1), ()


def _files(stem: Path, written: Mapping[str, Any]) -> dict[Path, shards.Sum]:
    """The files of a part with their sizes and checksums."""
    found = {shards.shard_path(stem, number): each for number, each in enumerate(written["shards"])}
    return found | {stem.with_suffix(suffix): written["sums"][suffix] for suffix in (".offsets", ".conditions")}


def _number(value: int) -> bytes:
    """A number as it stands in `offsets`."""
    return value.to_bytes(8, sys.byteorder)


def _indices(piece: Piece, spec: SequenceSpec) -> list[int]:
    """The index of the piece's value of each condition, -1 where it has none that is known."""
    return [
        values.index(piece.labels[name]) if piece.labels.get(name) in values else -1
        for name, values in spec.conditions.items()
    ]
