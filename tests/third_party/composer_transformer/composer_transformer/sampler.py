"""Transformer sampler in numpy: the equations of `network.py`, step by step.

Keys and values are in ring buffers of W places, in which each step replaces the one W steps before it. Keys are stored
turned: only the difference of two angles counts, so they never have to be turned again. What normalizations do but for
scaling is folded into the matrices before and after them.
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
_EPSILON = _F32(1e-5)
"""That of `torch.nn.LayerNorm`."""


class TransformerSampler(EmbeddedSampler):
    """Generates with a transformer. `weights` are those of TransformerNetwork, under the same names."""

    def __init__(self, spec: SequenceSpec, config: TransformerConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        floats = {name: array.astype(_F32) for name, array in weights.items()}
        matrix, bias = _centered(floats, "project")
        output, output_bias = _with_norm(floats, "norm", "output")
        floats |= {"output.weight": output, "output.bias": output_bias}
        super().__init__(spec, floats, matrix, bias, config.output)
        self.config = config
        self.layers = [_Layer(config, floats, f"layers.{number}") for number in range(config.layers)]
        self.speeds = ROTARY_BASE ** -(np.arange(config.head_size // 2) / (config.head_size // 2))

    def initial_core_state(self, rows: int) -> LayerStates:
        """Return the number of steps (B,), `unused` (B, 1, W; -inf where it is), and each layer's keys and values.

        Keys are (B, heads, size of a head, W), values (B, heads, W, size of a head).
        """
        heads, window, size = self.config.heads, self.config.window, self.config.head_size
        state: LayerStates = [np.zeros(rows, np.int64), np.full((rows, 1, window), -np.inf, _F32)]
        for _ in self.layers:
            state += [np.zeros((rows, heads, size, window), _F32), np.zeros((rows, heads, window, size), _F32)]
        return state

    def core(self, vectors: Floats, state: LayerStates) -> tuple[Floats, LayerStates]:
        count, unused, *caches = state
        rows, place = np.arange(len(count)), count % self.config.window
        unused[rows, 0, place] = 0
        used = min(int(count.max(initial=0)) + 1, self.config.window)  # in any row
        turn = np.exp(1j * count[:, None, None] * self.speeds).astype(np.complex64)
        for layer, keys, values in zip(self.layers, caches[::2], caches[1::2], strict=True):
            layer.step(vectors, keys[..., :used], values[:, :, :used], unused[..., :used], (rows, place), turn)
        count += 1
        return _unit(vectors), state


class _Layer:
    """The numpy counterpart of Layer.

    The two units of a pair are side by side, so that each pair is a complex number, and to turn it is to multiply it.
    """

    def __init__(self, config: TransformerConfig, weights: Mapping[str, Floats], name: str) -> None:
        size = config.hidden
        project, bias = _with_norm(weights, f"{name}.attention_norm", f"{name}.project")
        order = np.arange(3 * size)
        order[: 2 * size] = order[: 2 * size].reshape(-1, 2, config.head_size // 2).swapaxes(1, 2).ravel()
        scale = np.ones((3 * size, 1), _F32)
        scale[:size] = config.head_size**-0.5
        self.project, self.project_bias = (project[order] * scale).T, bias[order] * scale[:, 0]
        self.join, self.join_bias = _centered(weights, f"{name}.join")
        expand, self.expand_bias = _with_norm(weights, f"{name}.feedforward_norm", f"{name}.expand")
        self.expand = expand.T
        self.contract, self.contract_bias = _centered(weights, f"{name}.contract")

    def step(
        self,
        hidden: Floats,
        keys: Floats,
        values: Floats,
        unused: Floats,
        at: tuple[Ints, Ints],
        turn: NDArray[np.complex64],
    ) -> None:
        """Add to `hidden` (B, H) what the layer adds; also changes `keys` and `values` `at` rows and places (B,).

        `turn` (B, 1, half the size of a head) turns the queries and keys of the step.
        """
        (rows, place), heads = at, keys.shape[1]
        projected = _unit(hidden) @ self.project
        projected += self.project_bias
        parts = projected.reshape(len(rows), 3, heads, -1)
        pairs = projected.view(np.complex64).reshape(len(rows), 3 * heads, -1)[:, : 2 * heads]
        pairs *= turn
        keys[rows, :, :, place], values[rows, :, place] = parts[:, 1], parts[:, 2]
        scores = parts[:, 0, :, None] @ keys
        scores += unused[:, None]
        scores -= np.maximum.reduce(scores, axis=3, keepdims=True)
        np.exp(scores, out=scores)
        context = scores @ values
        context /= np.add.reduce(scores, axis=3, keepdims=True)
        hidden += context.reshape(hidden.shape) @ self.join
        hidden += self.join_bias
        wide = _unit(hidden) @ self.expand
        wide += self.expand_bias
        np.maximum(wide, 0, out=wide)
        wide *= wide
        hidden += wide @ self.contract
        hidden += self.contract_bias


def _unit(vectors: Floats) -> Floats:
    """Return `vectors` (B, H), whose means are 0, with a length of 1: normalized but for a factor, sqrt(H)."""
    squares = (vectors[:, None] @ vectors[:, :, None])[:, 0]
    squares += _EPSILON * vectors.shape[1]
    return np.asarray(vectors / np.sqrt(squares, out=squares))


def _centered(weights: Mapping[str, Floats], linear: str) -> tuple[Floats, Floats]:
    """Return the matrix (I, O) and bias (O,) of a linear layer less the mean of its outputs.

    All that is added to the vector of a step comes from such layers, and normalizations subtract its mean anyway.
    """
    matrix, bias = weights[f"{linear}.weight"], weights[f"{linear}.bias"]
    return (matrix - matrix.mean(0)).T, bias - bias.mean()


def _with_norm(weights: Mapping[str, Floats], norm: str, linear: str) -> tuple[Floats, Floats]:
    """Return the matrix (O, I) and bias (O,) of a linear layer that does what the `norm` before it leaves to do.

    That is its gain and bias, and the factor that `_unit` lacks.
    """
    matrix, gain = weights[f"{linear}.weight"], weights[f"{norm}.weight"]
    bias = matrix @ weights[f"{norm}.bias"] + weights[f"{linear}.bias"]
    return matrix * (gain * np.sqrt(_F32(len(gain)))), bias
