"""The LSTM with attention that plays, in numpy: the equations of `network.py`, one step at a time.

What attention looks back at stands in a ring: an array of W places, in which a step takes the place of the one W steps
before it. Its key and value are made once, when it comes. Batch normalisation, which is the same at every step once
trained, and pairs of dense layers, which have nothing between them, are one linear map each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, StepKind
from composer.api.sampling.filters import Floats
from composer.toolkit.models.lstm_numpy import (
    InputLayer,
    LayerStates,
    LSTMLayer,
    LSTMStack,
    StepwiseSampler,
    pack_lstm_weights,
)
from composer.toolkit.models.nade_numpy import nade_sampler
from composer_attn_lstm.pitch_input import pitch_values

if TYPE_CHECKING:
    from composer_attn_lstm import AttnLstmConfig

_F32 = np.float32


class _Stage(Protocol):
    """What outputs go through; its part of the state changes in place, the outputs that enter do not."""

    def initial_state(self, rows: int) -> LayerStates: ...

    def step(self, parts: LayerStates, outputs: Floats) -> Floats: ...


class AttnLstmSampler(StepwiseSampler):
    """Plays an LSTM with attention. `weights` are the network's, by their names there.

    The state: the parts of the LSTM layers at the bottom that have nothing between them, those of each stage that
    follows, and the outputs at the top.
    """

    def __init__(self, spec: SequenceSpec, config: AttnLstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec, nade_sampler(config.output, weights))
        floats = {name: array.astype(_F32) for name, array in weights.items()}
        if config.pitches:
            vectors, offset = pitch_values(spec), None
        elif spec.kind is StepKind.FRAMES:
            vectors, offset = floats["embed.weight"].T, floats["embed.bias"]
        else:
            vectors, offset = floats["embed.weight"], None
        first = InputLayer(spec, floats, "levels.0.lstm", vectors, offset)
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

    def step(self, parts: LayerStates, steps: NDArray[Any]) -> None:
        bottom = parts[self.slices[0]]
        outputs = self.stack.step(bottom, steps)
        parts[self.slices[0]] = bottom
        for stage, own in zip(self.stages, self.slices[1:], strict=True):
            outputs = stage.step(parts[own], outputs)
        parts[-1] = outputs

    def logits(self, parts: LayerStates) -> Floats:
        return np.asarray(parts[-1] @ self.output + self.bias)


def _plain_lstm_layers(config: AttnLstmConfig) -> int:
    """How many LSTM layers, from the first one up, have nothing between them."""
    if config.leak < 1 or config.norm != "none" or config.dense:
        return 1
    return next(number + 1 for number in range(len(config.layer_sizes)) if config.has_attention(number))


def _stages(config: AttnLstmConfig, weights: Mapping[str, Floats], bottom: int) -> Iterator[_Stage]:
    """All that follows the LSTM layers at the `bottom`, in order."""
    for number in range(bottom - 1, len(config.layer_sizes)):
        name = f"levels.{number}"
        if number >= bottom:
            yield _LstmStage(LSTMLayer(weights, f"{name}.lstm"))
        yield from _activation_stages(config, weights, f"{name}.after")
        if config.has_attention(number):
            kind = _DotAttentionStage if config.attention == "dot" else _ScalingAttentionStage
            yield kind(config, weights, f"{name}.attention")
        if number < len(config.dense):
            yield _DenseStage(weights, f"{name}.dense")
            yield from _activation_stages(config, weights, f"{name}.dense.2")


def _activation_stages(config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> Iterator[_Stage]:
    if config.leak < 1 or config.norm != "none":
        yield _ActivationStage(config, weights, name)


class _LstmStage:
    """An LSTM layer."""

    def __init__(self, layer: LSTMLayer) -> None:
        self.layer = layer

    def initial_state(self, rows: int) -> LayerStates:
        return self.layer.initial_state(rows)

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        return self.layer.step(parts[0], parts[1], outputs)


class _ActivationStage:
    """Rectifier and normalisation."""

    def __init__(self, config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> None:
        self.leak = _F32(config.leak)
        self.factor: Floats = np.ones((), _F32)
        self.offset: Floats = np.zeros((), _F32)
        if config.norm == "batch":
            spread = np.sqrt(weights[f"{name}.1.running_var"] + EPSILON)
            self.factor = weights[f"{name}.1.weight"] / spread
            self.offset = weights[f"{name}.1.bias"] - weights[f"{name}.1.running_mean"] * self.factor

    def initial_state(self, rows: int) -> LayerStates:
        return []

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        outputs = np.maximum(outputs, self.leak * outputs)
        outputs *= self.factor
        outputs += self.offset
        return outputs


EPSILON = _F32(1e-5)
"""What batch normalisation adds to the variance."""


class _DenseStage:
    """A pair of dense layers."""

    def __init__(self, weights: Mapping[str, Floats], name: str) -> None:
        first, second = weights[f"{name}.0.weight"], weights[f"{name}.1.weight"]
        self.weight = np.ascontiguousarray((second @ first).T)
        self.bias = second @ weights[f"{name}.0.bias"] + weights[f"{name}.1.bias"]

    def initial_state(self, rows: int) -> LayerStates:
        return []

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        outputs = outputs @ self.weight
        outputs += self.bias
        return outputs


class _DotAttentionStage:
    """The numpy face of DotAttention.

    All that an output is multiplied by stands in one matrix: what makes its query, the key of the step after it, its
    value, and its own share of what the join gives. As weights sum to one, the bias of values is a part of the join's.
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
        order = (place - place[:, None] - 1) % self.window  # [present place, place]: the distance, oldest first
        self.order = order[:, None] + np.arange(self.heads)[:, None] * self.window

    def initial_state(self, rows: int) -> LayerStates:
        """Keys and values (B, heads, W, ...), `empty` (B, 1, W): -inf where none is, and the next `place`."""
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
        made = outputs @ self.weight
        made += self.bias
        query = made[:, : self.keys].reshape(count, self.heads, -1, 1)
        values[rows, :, place] = made[:, 2 * self.keys : self.edge].reshape(count, self.heads, -1)
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
        keys[rows, :, place] = made[:, self.keys : 2 * self.keys].reshape(count, self.heads, -1)
        found = (scores[:, :, None] @ values).reshape(count, -1)
        joined = found @ self.join
        joined += made[:, self.edge :]
        return np.asarray(np.tanh(joined, out=joined))


class _ScalingAttentionStage:
    """The numpy face of ScalingAttention."""

    def __init__(self, config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> None:
        self.window = config.window
        self.weight, self.bias = np.ascontiguousarray(weights[f"{name}.score.weight"].T), weights[f"{name}.score.bias"]

    def initial_state(self, rows: int) -> LayerStates:
        """exp(e) (B, W), and the next `place`."""
        return [np.zeros((rows, self.window), _F32), np.zeros(rows, np.int64)]

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        ring, place = parts
        own = np.exp(np.tanh(outputs @ self.weight + self.bias))
        ring[np.arange(len(ring)), place] = own[:, 0]
        place += 1
        place %= self.window
        return np.asarray(outputs * (own / ring.sum(axis=1, keepdims=True)))
