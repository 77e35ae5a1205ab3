"""The baseline of a checkpoint: counts of its training data, by which `eval` judges how much a model has learned.

It is a small model of its own, such as a Markov chain, in one extra array: a line of JSON, then its integer arrays,
compressed. Sorted numbers compress well as differences.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import CheckpointError
from composer.checkpoints.file import Checkpoint

_ARRAY = "baseline"
MAX_ARRAY_BYTES = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The `model` by its name and version, its settings `config`, and its integer `weights` by name."""

    model: str
    version: int
    config: Mapping[str, Any]
    weights: Mapping[str, NDArray[Any]]

    @property
    def name(self) -> str:
        """What a table calls it, such as `markov order 4`."""
        return " ".join([self.model, *(f"{key} {value}" for key, value in self.config.items())])


def pack_baseline(baseline: Baseline | None) -> dict[str, NDArray[np.uint8]]:
    """Return the extra arrays of a checkpoint for this baseline; empty for none."""
    if baseline is None:
        return {}
    parts = {name: zlib.compress(_differences(array).tobytes(), 9) for name, array in baseline.weights.items()}
    described = [[name, array.dtype.str, array.shape, len(parts[name])] for name, array in baseline.weights.items()]
    facts = {**asdict(baseline), "config": dict(baseline.config), "weights": described}
    data = b"\n".join([json.dumps(facts, sort_keys=True).encode(), b"".join(parts.values())])
    return {_ARRAY: np.frombuffer(data, np.uint8)}


def baseline_of(checkpoint: Checkpoint) -> Baseline | None:
    """Return the baseline in a checkpoint; None if it has none. Raises CheckpointError if it is damaged."""
    array = checkpoint.extra.get(_ARRAY)
    if array is None:
        return None
    try:
        line, _, data = array.tobytes().partition(b"\n")
        facts, weights, begin = json.loads(line), dict[str, NDArray[Any]](), 0
        for name, kind, shape, size in facts["weights"]:
            weights[name] = _unpacked(data[begin : begin + size], np.dtype(kind), tuple(shape))
            begin += size
        return Baseline(facts["model"], facts["version"], facts["config"], weights)
    except (ValueError, TypeError, LookupError, AttributeError, zlib.error) as error:
        raise CheckpointError(
            f"cannot read the baseline in the checkpoint: {error}", "train the model again"
        ) from error


def _differences(array: NDArray[Any]) -> NDArray[Any]:
    flat = array.ravel()
    return np.diff(flat, prepend=flat.dtype.type(0))


def _unpacked(data: bytes, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array whose differences are in `data`. Raises ValueError, or zlib.error."""
    size = kind.itemsize * math.prod(shape)
    if kind.kind not in "iu" or not 0 <= size <= MAX_ARRAY_BYTES:
        raise ValueError(f"an array of {kind} and shape {shape}")
    decoder = zlib.decompressobj()
    differences = np.frombuffer(decoder.decompress(data, max(size, 1)), kind)
    if not decoder.eof:
        raise ValueError("it is incomplete")
    return np.cumsum(differences, dtype=kind).reshape(shape)
