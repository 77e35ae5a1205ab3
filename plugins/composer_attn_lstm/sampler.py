"""LSTM sampler with attention, in numpy: the equations of `network.py`, step by step.

Attention reads from a ring buffer of W places, in which each step replaces the one W steps before it. Keys and values
are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec
from composer.api.sampling.filters import Floats, Ints
from composer.toolkit.models.lstm_numpy import InputLayer, LSTMLayer, LSTMStack, pack_lstm_weights
from composer.toolkit.models.nade_numpy import nade_sampler
from composer.toolkit.models.stepwise_numpy import LayerStates, StepwiseSampler
from composer_attn_lstm.config import AttnLstmConfig
from composer_attn_lstm.pitch_input import pitch_values
from composer_attn_lstm.published_stages import ActivationStage, DenseStage, ScalingAttentionStage

_F32 = np.float32


class _Stage(Protocol):
    """A layer above the first LSTM layers; `step` changes its state in place, but not its input."""

    def initial_state(self, rows: int) -> LayerStates: ...

    def step(self, parts: LayerStates, outputs: Floats) -> Floats: ...


class AttnLstmSampler(StepwiseSampler):
    """Generates with an LSTM with attention. `weights` are those of AttnLstmNetwork, under the same names.

    The state: that of the directly stacked LSTM layers at the bottom, of each stage above them, and the top outputs.
    """

    def __init__(self, spec: SequenceSpec, config: AttnLstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec, nade_sampler(config.output, weights))
        floats = {name: array.astype(_F32) for name, array in weights.items()}
        first = InputLayer(spec, floats, "levels.0.lstm", pitch_values(spec) if config.pitches else None)
        levels = _plain_lstm_layers(config)
        self.stack = LSTMStack(first, (pack_lstm_weights(floats, f"levels.{level}.lstm") for level in range(1, levels)))
        self.stages = list(_stages(config, floats, levels))
        counts = [len(self.stack.initial_state([])), *(len(stage.initial_state(0)) for stage in self.stages)]
        edges = np.cumsum(counts).tolist()
        self.slices = [slice(*pair) for pair in pairwise([0, *edges])]
        self.output = np.ascontiguousarray(floats["output.weight"].T)
        self.bias = floats["output.bias"]

    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        rows = len(conditions)
        parts = self.stack.initial_state(conditions)
        for stage in self.stages:
            parts += stage.initial_state(rows)
        return [*parts, np.zeros((rows, len(self.output)), _F32)]

    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> None:
        bottom = parts[self.slices[0]]
        outputs = self.stack.step(bottom, steps, features)
        parts[self.slices[0]] = bottom
        for stage, own in zip(self.stages, self.slices[1:], strict=True):
            outputs = stage.step(parts[own], outputs)
        parts[-1] = outputs

    def logits(self, parts: LayerStates) -> Floats:
        return np.asarray(parts[-1] @ self.output + self.bias)


def _plain_lstm_layers(config: AttnLstmConfig) -> int:
    """Count the LSTM layers, from the first, with nothing in between."""
    if config.leak < 1 or config.norm != "none" or config.dense:
        return 1
    return next(number + 1 for number in range(len(config.layer_sizes)) if config.has_attention(number))


def _stages(config: AttnLstmConfig, weights: Mapping[str, Floats], bottom: int) -> Iterator[_Stage]:
    """Yield the stages above the `bottom` LSTM layers, in order."""
    for number in range(bottom - 1, len(config.layer_sizes)):
        name = f"levels.{number}"
        if number >= bottom:
            yield _LstmStage(LSTMLayer(weights, f"{name}.lstm"))
        yield from _activation_stages(config, weights, f"{name}.after")
        if config.has_attention(number):
            stage = _DotAttentionStage if config.attention == "dot" else ScalingAttentionStage
            yield stage(config, weights, f"{name}.attention")
        if number < len(config.dense):
            yield DenseStage(weights, f"{name}.dense")
            yield from _activation_stages(config, weights, f"{name}.dense.2")


def _activation_stages(config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> Iterator[_Stage]:
    if config.leak < 1 or config.norm != "none":
        yield ActivationStage(config, weights, name)


class _LstmStage:
    """An LSTM layer."""

    def __init__(self, layer: LSTMLayer) -> None:
        self.layer = layer

    def initial_state(self, rows: int) -> LayerStates:
        return self.layer.initial_state(rows)

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        return self.layer.step(parts[0], parts[1], outputs)


class _DotAttentionStage:
    """Numpy counterpart of DotAttention.

    One matrix computes from an output its query, the key of the next step, its value, and its part of the join.
    Attention weights sum to one, so the bias of values moves into that of the join.
    """

    def __init__(self, config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> None:
        query, key, value, join = (weights[f"{name}.{part}.weight"] for part in ("query", "key", "value", "join"))
        self.distance = weights[f"{name}.distance"]
        self.heads, size, self.window = self.distance.shape
        self.keys, self.edge, outputs = len(key), 2 * len(key) + len(value), key.shape[1]
        shrink = _F32(1 / np.sqrt(size))
        self.weight = np.concatenate([query * shrink, key, value, join[:, :outputs]]).T
        self.join = join[:, outputs:].T
        offset = weights[f"{name}.join.bias"] + weights[f"{name}.value.bias"] @ self.join
        self.bias = np.zeros(self.weight.shape[1], _F32)
        self.bias[: self.keys] = weights[f"{name}.query.bias"] * shrink
        self.bias[-len(offset) :] = offset
        place = np.arange(self.window)
        order = (place - place[:, None] - 1) % self.window  # [current place, place]: distance, oldest first
        self.order = order[:, None] + np.arange(self.heads)[:, None] * self.window

    def initial_state(self, rows: int) -> LayerStates:
        """Return ring buffers of keys and values (B, heads, W, ...), `empty` (B, 1, W; -inf if unused), next place."""
        return [
            np.zeros((rows, self.heads, self.window, self.keys // self.heads), _F32),
            np.zeros((rows, self.heads, self.window, len(self.join) // self.heads), _F32),
            np.full((rows, 1, self.window), -np.inf, _F32),
            np.zeros(rows, np.int64),
        ]

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        keys, values, empty, place = parts
        count = len(outputs)
        rows = np.arange(count)
        projected = outputs @ self.weight
        projected += self.bias
        query = projected[:, : self.keys].reshape(count, self.heads, -1, 1)
        values[rows, :, place] = projected[:, 2 * self.keys : self.edge].reshape(count, self.heads, -1)
        empty[rows, 0, place] = 0
        scores = (keys @ query)[..., 0]
        by_distance = query.swapaxes(2, 3) @ self.distance
        scores += by_distance.take(self.order[place] + rows[:, None, None] * scores[0].size)
        scores += empty
        scores -= np.maximum.reduce(scores, axis=2, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=2, keepdims=True)
        place += 1
        place %= self.window
        keys[rows, :, place] = projected[:, self.keys : 2 * self.keys].reshape(count, self.heads, -1)
        context = (scores[:, :, None] @ values).reshape(count, -1)
        joined = context @ self.join
        joined += projected[:, self.edge :]
        return np.asarray(np.tanh(joined, out=joined))
