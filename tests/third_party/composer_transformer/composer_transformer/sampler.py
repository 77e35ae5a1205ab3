"""Transformer sampler in numpy: the equations of `network.py`, step by step.

Keys and values are in ring buffers of W places, in which each step replaces the one W steps before it. Keys are stored
turned: only the difference of two angles counts, so they never have to be turned again. The gains and biases of
normalizations are folded into the matrices after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec
from composer.api.sampling.filters import Floats, Ints
from composer.toolkit.models.embedded_numpy import EmbeddedSampler
from composer.toolkit.models.stepwise_numpy import LayerStates
from composer_transformer.config import ROTARY_BASE, TransformerConfig

_F32 = np.float32
_EPSILON = 1e-5
"""That of `torch.nn.LayerNorm`."""


class TransformerSampler(EmbeddedSampler):
    """Generates with a transformer. `weights` are those of TransformerNetwork, under the same names."""

    def __init__(self, spec: SequenceSpec, config: TransformerConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        floats = {name: array.astype(_F32) for name, array in weights.items()}
        output, bias = _fold(floats, "norm", "output")
        super().__init__(
            spec, {**floats, "output.weight": output, "output.bias": bias},
            floats["project.weight"].T, floats["project.bias"], config.output,
        )  # fmt: skip
        self.config = config
        self.layers = [_Layer(config, floats, f"layers.{number}") for number in range(config.layers)]
        self.speeds = ROTARY_BASE ** -(np.arange(config.head_size // 2) / (config.head_size // 2))

    def initial_core_state(self, rows: int) -> LayerStates:
        """Return the number of steps (B,), `unused` (B, 1, W; -inf if a place is), and each layer's keys and values."""
        config = self.config
        shape = rows, config.heads, config.window, config.head_size
        caches = [np.zeros(shape, _F32) for _ in range(2 * config.layers)]
        return [np.zeros(rows, np.int64), np.full((rows, 1, config.window), -np.inf, _F32), *caches]

    def core(self, vectors: Floats, state: LayerStates) -> tuple[Floats, LayerStates]:
        count, unused, *caches = state
        place = count % self.config.window
        unused[np.arange(len(place)), 0, place] = 0
        turn = np.exp(1j * count[:, None] * self.speeds).astype(np.complex64)
        turns = np.tile(turn, 2 * self.config.heads)
        for layer, keys, values in zip(self.layers, caches[::2], caches[1::2], strict=True):
            layer.step(vectors, keys, values, unused, place, turns)
        count += 1
        return _normalize(vectors), state


class _Layer:
    """The numpy counterpart of Layer.

    The two units of a pair are side by side, so that each pair is a complex number, and to turn it is to multiply it.
    """

    def __init__(self, config: TransformerConfig, weights: Mapping[str, Floats], name: str) -> None:
        self.size = config.hidden
        matrix, bias = _fold(weights, f"{name}.attention_norm", f"{name}.project")
        order = np.arange(2 * self.size).reshape(-1, 2, config.head_size // 2).swapaxes(1, 2).ravel()
        order = np.concatenate([order, np.arange(2 * self.size, 3 * self.size)])
        matrix, bias = matrix[order], bias[order]
        shrink = _F32(config.head_size**-0.5)
        matrix[: self.size] *= shrink
        bias[: self.size] *= shrink
        self.project, self.project_bias = matrix.T, bias
        self.join, self.join_bias = weights[f"{name}.join.weight"].T, weights[f"{name}.join.bias"]
        expand, self.expand_bias = _fold(weights, f"{name}.feedforward_norm", f"{name}.expand")
        self.expand = expand.T
        self.contract, self.contract_bias = weights[f"{name}.contract.weight"].T, weights[f"{name}.contract.bias"]

    def step(
        self, hidden: Floats, keys: Floats, values: Floats, unused: Floats, place: Ints, turns: NDArray[np.complex64]
    ) -> None:
        """Add to `hidden` (B, H) what the layer adds; also changes `keys` and `values` at `place` (B,)."""
        rows, heads, size = np.arange(len(hidden)), keys.shape[1], self.size
        projected = _normalize(hidden) @ self.project
        projected += self.project_bias
        pairs = projected[:, : 2 * size].view(np.complex64)
        pairs *= turns
        query, key, value = (each.reshape(len(rows), heads, -1) for each in np.split(projected, 3, axis=1))
        keys[rows, :, place], values[rows, :, place] = key, value
        scores = (keys @ query[..., None])[..., 0]
        scores += unused
        scores -= np.maximum.reduce(scores, axis=2, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=2, keepdims=True)
        context = (scores[:, :, None] @ values).reshape(len(rows), -1)
        hidden += context @ self.join
        hidden += self.join_bias
        wide = _normalize(hidden) @ self.expand
        wide += self.expand_bias
        np.maximum(wide, 0, out=wide)
        wide *= wide
        hidden += wide @ self.contract
        hidden += self.contract_bias


def _normalize(vectors: Floats) -> Floats:
    """Return `vectors` (B, H) with mean 0 and variance 1: a normalization without gain and bias."""
    size = vectors.shape[1]
    centered = vectors - np.add.reduce(vectors, axis=1, keepdims=True) / _F32(size)
    variance = np.einsum("bh,bh->b", centered, centered) / _F32(size)
    centered /= np.sqrt(variance + _F32(_EPSILON))[:, None]
    return centered


def _fold(weights: Mapping[str, Floats], norm: str, linear: str) -> tuple[Floats, Floats]:
    """Return the matrix (O, I) and bias (O,) of a linear layer with the gain and bias of the `norm` before it."""
    matrix = weights[f"{linear}.weight"]
    return matrix * weights[f"{norm}.weight"], matrix @ weights[f"{norm}.bias"] + weights[f"{linear}.bias"]
