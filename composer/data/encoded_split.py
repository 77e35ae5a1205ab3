"""The encoded pieces of one split as arrays, and the files that they are mapped from."""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import EncodeError, Piece, PluginError, RejectedPiece, Representation, SequenceSpec, Step, StepKind
from composer.data import shards

NOT_ENCODABLE = "cannot be encoded"
NO_POSITIONS = "positions that cannot be counted"

USUAL_QUANTILE = 0.98

CHECKED_AT_ONCE = 1 << 20
"""Steps that are compared with the spec at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSplit:
    """The encoded pieces of one split.

    `steps`: token ids (N,) in the smallest unsigned type, or frames (N, ceil(V / 8)) of packed bits.
    Piece p is `steps[offsets[p]:offsets[p + 1]]`. `conditions` (P, C): the index of each condition's value, -1 for
    none. `features` (N, F): the position features of each step, in a small unsigned type; None if there are none.
    """

    steps: NDArray[Any] | shards.Steps
    offsets: NDArray[np.int64]
    conditions: NDArray[np.int32]
    features: NDArray[Any] | shards.Steps | None = None

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.offsets) - 1

    @property
    def count(self) -> int:
        """Number of steps of all pieces."""
        return len(self.steps)

    @property
    def usual_length(self) -> int:
        """The length in steps that 98 % of the pieces do not exceed; 0 without pieces."""
        lengths = np.diff(self.offsets)
        return int(np.quantile(lengths, USUAL_QUANTILE, method="inverted_cdf")) if len(lengths) else 0


def write_split(
    stem: Path,
    representation: Representation,
    spec: SequenceSpec,
    pieces: Iterable[Piece],
    reject: Callable[[RejectedPiece], object],
) -> dict[str, Any]:
    """Encode pieces into the files of a split, one by one. Return a description for `open_split`, as JSON.

    `spec` is that of the representation, with the conditions whose values are written.

    `reject` is called with each piece that cannot be encoded. `losses` in the description counts what the steps of the
    others do not contain, and `places` has the first piece of each kind. Raises OSError.
    """
    losses, places = Counter[str](), dict[str, str]()
    with _SplitWriter(stem, spec) as writer:
        for piece in pieces:
            try:
                steps = pack_piece(representation, piece, spec)
            except EncodeError as error:
                reject(RejectedPiece(NOT_ENCODABLE, piece.source, error.message.removeprefix(f"{piece.source} has ")))
                continue
            try:
                features = piece_features(representation, piece, steps, spec) if spec.features else None
            except EncodeError as error:
                reject(RejectedPiece(NO_POSITIONS, piece.source, error.message))
                continue
            writer.add(steps, _condition_indices(piece, spec), features)
            for phrase, count in representation.losses(piece).items():
                losses[phrase] += count
                places.setdefault(phrase, piece.source)
    return writer.description | {"losses": dict(losses), "places": places}


def open_split(stem: Path, spec: SequenceSpec, written: Mapping[str, Any]) -> EncodedSplit:
    """Map the files of a split into memory.

    Raises OSError or ValueError if they are damaged, or hold what does not fit `spec`, which training could not read.
    """
    sums = written["sums"]
    steps = {shards.shard_path(stem, number): each for number, each in enumerate(written["shards"])}
    own = _features_stem(stem)
    features = {shards.shard_path(own, number): each for number, each in enumerate(written.get("features", ()))}
    shards.verify(steps | features | {stem.with_suffix(suffix): sums[suffix] for suffix in (".offsets", ".conditions")})
    count, pieces = written["count"], written["pieces"]
    dtype, shape = _layout(spec)
    split = EncodedSplit(
        shards.Steps(list(steps), dtype, count, shape),
        shards.map_array(stem.with_suffix(".offsets"), np.dtype(np.int64), (pieces + 1,)),
        shards.map_array(stem.with_suffix(".conditions"), np.dtype(np.int32), (pieces, len(spec.conditions))),
        shards.Steps(list(features), _feature_type(spec), count, (len(spec.features),)) if spec.features else None,
    )
    _check_values(split, spec)
    return split


def _check_values(split: EncodedSplit, spec: SequenceSpec) -> None:
    """Raise ValueError if a step, a condition, a feature or the bounds of a piece are not those of `spec`."""
    offsets = split.offsets
    if offsets[0] != 0 or offsets[-1] != split.count or (np.diff(offsets) < 0).any():
        raise ValueError("bounds of pieces out of order")
    for index, values in enumerate(spec.conditions.values()):
        if split.pieces and not -1 <= split.conditions[:, index].min() <= split.conditions[:, index].max() < len(
            values
        ):
            raise ValueError("a condition without a value")
    sizes = np.array(list(spec.features.values()), np.int64)
    for begin in range(0, split.count, CHECKED_AT_ONCE):
        block = slice(begin, min(begin + CHECKED_AT_ONCE, split.count))
        if spec.kind is StepKind.TOKENS and split.steps[block].max() >= spec.size:
            raise ValueError("a token out of range")
        if split.features is not None and (split.features[block].max(axis=0) >= sizes).any():
            raise ValueError("a feature out of range")


def encoded_size(representation: Representation, spec: SequenceSpec, pieces: Iterable[Piece]) -> int:
    """Return the number of bytes that `pieces` take in the files of a split."""
    size = 0
    for piece in pieces:
        with suppress(EncodeError):
            steps = pack_piece(representation, piece, spec)
            features = len(steps) * len(spec.features) * _feature_type(spec).itemsize
            size += steps.nbytes + features + 8 + 4 * len(spec.conditions)
    return size


class _SplitWriter(AbstractContextManager["_SplitWriter"]):
    """Write the files of a split."""

    def __init__(self, stem: Path, spec: SequenceSpec) -> None:
        dtype, shape = _layout(spec)
        self._pieces = self._count = 0
        self._stack = ExitStack()
        self._steps = self._stack.enter_context(shards.ShardWriter(stem, dtype.itemsize * math.prod(shape)))
        self._offsets = self._stack.enter_context(shards.ChecksumWriter(stem.with_suffix(".offsets")))
        self._conditions = self._stack.enter_context(shards.ChecksumWriter(stem.with_suffix(".conditions")))
        self._offsets.write(_offset_bytes(0))
        self._features = None
        if spec.features:
            width = _feature_type(spec).itemsize * len(spec.features)
            self._features = self._stack.enter_context(shards.ShardWriter(_features_stem(stem), width))

    def add(self, steps: NDArray[Any], conditions: Sequence[int], features: NDArray[Any] | None) -> None:
        """Write a piece. Raises OSError."""
        self._steps.write(steps.tobytes())
        if self._features is not None and features is not None:
            self._features.write(features.tobytes())
        self._pieces += 1
        self._count += len(steps)
        self._offsets.write(_offset_bytes(self._count))
        self._conditions.write(array("i", conditions).tobytes())

    @property
    def description(self) -> dict[str, Any]:
        """Counts, and checksums: `sums` of all steps and of the other files, `shards` of each file of steps.

        With position features, `features` are the checksums of each of their files.
        """
        sums = {".steps": self._steps.sum, ".offsets": self._offsets.sum, ".conditions": self._conditions.sum}
        found = {"pieces": self._pieces, "count": self._count, "sums": sums, "shards": self._steps.shards}
        if self._features is None:
            return found
        return found | {"sums": sums | {".features": self._features.sum}, "features": self._features.shards}

    def __exit__(self, *params: Any) -> None:
        self._stack.__exit__(*params)


def pack(steps: Sequence[Step], spec: SequenceSpec) -> NDArray[Any]:
    """Return steps as in an EncodedSplit: (N,) unsigned integers, or (N, ceil(V / 8)) packed bits, unit 0 first."""
    dtype, _ = _layout(spec)
    if spec.kind is StepKind.TOKENS:
        return np.array(steps, dtype)
    frames = np.zeros((len(steps), spec.size), np.uint8)
    for row, units in enumerate(steps):
        frames[row, list(units)] = 1  # type: ignore[arg-type]
    return np.packbits(frames, axis=1)


def pack_piece(representation: Representation, piece: Piece, spec: SequenceSpec) -> NDArray[Any]:
    """Return the steps of `piece` as in an EncodedSplit, by `encode_packed` if the representation has it."""
    data = representation.encode_packed(piece)
    if data is None:
        return pack(representation.encode(piece), spec)
    dtype, shape = _layout(spec)
    return np.frombuffer(data, dtype).reshape(-1, *shape)


def piece_features(
    representation: Representation, piece: Piece, steps: NDArray[Any] | Sequence[Step], spec: SequenceSpec
) -> NDArray[Any]:
    """Return the position features (N, F) of the `steps` of `piece`, packed or as the representation encodes them.

    Raises EncodeError if they cannot be counted, PluginError if they are not those of `spec`.
    """
    if isinstance(steps, np.ndarray):
        steps = steps.tolist() if spec.kind is StepKind.TOKENS else representation.encode(piece)
    rows = list(representation.step_features(piece, steps))
    features, sizes = np.array(rows, np.int64).reshape(len(rows), -1), list(spec.features.values())
    if features.shape != (len(steps), len(sizes)) or not ((features >= 0) & (features < sizes)).all():
        raise PluginError(
            f"the position features that `{representation.name}` counts are not those of its spec, "
            f"{', '.join(spec.features)}: {piece.source}"
        )
    return features.astype(_feature_type(spec))


def _feature_type(spec: SequenceSpec) -> np.dtype[Any]:
    """Return the smallest unsigned type that holds every position feature."""
    return np.min_scalar_type(max(spec.features.values(), default=1) - 1)


def _features_stem(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}-features")


def _layout(spec: SequenceSpec) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return the number type and the shape of a step."""
    if spec.kind is StepKind.FRAMES:
        return np.dtype(np.uint8), (-(-spec.size // 8),)
    return np.min_scalar_type(spec.size - 1), ()


def _offset_bytes(value: int) -> bytes:
    return value.to_bytes(8, sys.byteorder)


def _condition_indices(piece: Piece, spec: SequenceSpec) -> list[int]:
    """Return the index of the piece's value of each condition, -1 if it has no known one."""
    return [
        values.index(piece.labels[name]) if piece.labels.get(name) in values else -1
        for name, values in spec.conditions.items()
    ]
