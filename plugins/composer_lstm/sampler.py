"""LSTM sampler in numpy: the equations of `network.py`, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec
from composer.api.sampling.filters import Floats, Ints
from composer.toolkit.models.lstm_numpy import InputLayer, LSTMStack, pack_lstm_weights
from composer.toolkit.models.nade_numpy import nade_sampler
from composer.toolkit.models.stepwise_numpy import LayerStates, StepwiseSampler
from composer_lstm.config import LstmConfig

_F32 = np.float32


class LstmSampler(StepwiseSampler):
    """Generates with an LSTM. `weights` are those of LstmNetwork, under the same names."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec, nade_sampler(config.output, weights))
        first = InputLayer(spec, weights, "lstm")
        self.stack = LSTMStack(first, (pack_lstm_weights(weights, "lstm", layer) for layer in range(1, config.layers)))
        self.output = weights["output.weight"].astype(_F32).T
        self.bias = weights["output.bias"].astype(_F32)

    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        return self.stack.initial_state(conditions)

    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> None:
        self.stack.step(parts, steps, features)

    def logits(self, parts: LayerStates) -> Floats:
        return np.asarray(parts[-1] @ self.output + self.bias)
