"""Layers of the published attention-piano system, in numpy: the counterparts of `published_layers.py`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from composer.api.sampling.filters import Floats
from composer.toolkit.models.stepwise_numpy import LayerStates
from composer_attn_lstm.config import AttnLstmConfig

_F32 = np.float32

EPSILON = _F32(1e-5)
"""Added to the variance by batch normalization."""


class ActivationStage:
    """Leaky ReLU and batch normalization, which after training is one factor and offset per unit."""

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


class DenseStage:
    """A pair of dense layers, merged into one linear map."""

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


class ScalingAttentionStage:
    """Numpy counterpart of ScalingAttention."""

    def __init__(self, config: AttnLstmConfig, weights: Mapping[str, Floats], name: str) -> None:
        self.window = config.window
        self.weight, self.bias = np.ascontiguousarray(weights[f"{name}.score.weight"].T), weights[f"{name}.score.bias"]

    def initial_state(self, rows: int) -> LayerStates:
        """Return exp(e) (B, W), a ring buffer, and the next `place` in it."""
        return [np.zeros((rows, self.window), _F32), np.zeros(rows, np.int64)]

    def step(self, parts: LayerStates, outputs: Floats) -> Floats:
        ring, place = parts
        own = np.exp(np.tanh(outputs @ self.weight + self.bias))
        ring[np.arange(len(ring)), place] = own[:, 0]
        place += 1
        place %= self.window
        return np.asarray(outputs * (own / ring.sum(axis=1, keepdims=True)))
