"""Numpy samplers that embed their input: the counterpart of `embedded_torch`.

The embeddings of steps, conditions and position features are multiplied at loading by the first matrix that they meet,
so that each of them is a table lookup while generating.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api.sampling.filters import Floats, Ints
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.nade_numpy import nade_sampler
from composer.toolkit.models.stepwise_numpy import LayerStates, StepwiseSampler

__all__ = ["EmbeddedInput", "EmbeddedSampler"]

_F32 = np.float32


class EmbeddedInput:
    """The input vectors of an EmbeddedNetwork, times a matrix: x M + b.

    `weights` are those of the network. `matrix` (I, G) is M, by default the identity, and `bias` (G,) is b, by default
    0. `vectors` (V, E) and `offset` (E,) replace `embed` of the weights: the embeddings of steps, and what is added to
    each.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        weights: Mapping[str, NDArray[Any]],
        matrix: Floats | None = None,
        bias: Floats | None = None,
        vectors: Floats | None = None,
        offset: Floats | None = None,
    ) -> None:
        self.tokens = spec.kind is StepKind.TOKENS
        if vectors is None:
            vectors = weights["embed.weight"].astype(_F32)
            if not self.tokens:
                vectors, offset = vectors.T, weights["embed.bias"].astype(_F32)
        tables = [weights[f"conditions.{number}.weight"].astype(_F32) for number in range(len(spec.conditions))]
        tables += [weights[f"features.{number}.weight"].astype(_F32) for number in range(len(spec.features))]
        edges = np.cumsum([vectors.shape[1], *(table.shape[1] for table in tables)])
        matrix = np.eye(edges[-1], dtype=_F32) if matrix is None else matrix
        step, *blocks = np.split(matrix, edges[:-1], axis=0)
        self.table = vectors @ step
        self.bias: Floats = np.zeros(matrix.shape[1], _F32) if bias is None else bias
        if offset is not None:
            self.bias = self.bias + offset @ step
        folded = [table @ block for table, block in zip(tables, blocks, strict=True)]
        self.conditions = {
            name: (("", *values), table) for (name, values), table in zip(spec.conditions.items(), folded, strict=False)
        }
        features = folded[len(spec.conditions) :]
        self.features = np.concatenate(features) if features else None
        """The tables of all features, one below the other."""
        self._first_rows = np.cumsum([0, *map(len, features)])[:-1]

    def base(self, conditions: Sequence[Mapping[str, str]]) -> Floats:
        """Return the contribution (B, G) of the bias and the conditions, which is the same for all steps."""
        base = np.tile(self.bias, (len(conditions), 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        return base

    def project(self, base: Floats, steps: NDArray[Any], features: Ints | None = None) -> Floats:
        """Return x M + b (B, G) from `base`, `steps` (B,) or (B, V), and the position `features` (B, F)."""
        projected = base + (self.table[steps] if self.tokens else _sum_of_rows(self.table, steps))
        if self.features is not None and features is not None:
            projected += self.features[features + self._first_rows].sum(axis=1)
        return projected


class EmbeddedSampler(StepwiseSampler):
    """The numpy counterpart of EmbeddedNetwork: subclasses implement `initial_core_state` and `core`.

    `weights` are those of the network; `output` is its setting `output`. With a `matrix` (I, G) and `bias` (G,), the
    core gets the vectors times that matrix instead of the vectors: for a first layer whose input is only multiplied.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        weights: Mapping[str, NDArray[Any]],
        matrix: Floats | None = None,
        bias: Floats | None = None,
        output: str = "plain",
    ) -> None:
        super().__init__(spec, nade_sampler(output, weights))
        self.inputs = EmbeddedInput(spec, weights, matrix, bias)
        self.output = np.ascontiguousarray(weights["output.weight"].astype(_F32).T)
        self.output_bias = weights["output.bias"].astype(_F32)

    @abstractmethod
    def initial_core_state(self, rows: int) -> LayerStates:
        """Return the state of the core before a piece: arrays (B, ...)."""

    @abstractmethod
    def core(self, vectors: Floats, state: LayerStates) -> tuple[Floats, LayerStates]:
        """Return the outputs (B, H) for `vectors` (B, I) and the state after them, which may be changed in place."""

    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        rows = len(conditions)
        outputs = np.zeros((rows, len(self.output)), _F32)
        return [self.inputs.base(conditions), outputs, *self.initial_core_state(rows)]

    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> None:
        parts[1], parts[2:] = self.core(self.inputs.project(parts[0], steps, features), parts[2:])

    def logits(self, parts: LayerStates) -> Floats:
        return np.asarray(parts[1] @ self.output + self.output_bias)


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """Sum the rows of the active units of each frame (B, V): (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])
