"""LSTM sampler in numpy: the equations of `network.py`, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, StepKind
from composer.api.sampling.filters import Floats
from composer.toolkit.models.lstm_numpy import InputLayer, LayerStates, LSTMStack, StepwiseSampler, pack_lstm_weights
from composer.toolkit.models.nade_numpy import nade_sampler
from composer_lstm.config import LstmConfig

_F32 = np.float32


class LstmSampler(StepwiseSampler):
    """Generates with an LSTM. `weights` are those of LstmNetwork, under the same names."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec, nade_sampler(config.output, weights))
        embed = weights["embed.weight"].astype(_F32)
        if spec.kind is StepKind.TOKENS:
            first = InputLayer(spec, weights, "lstm", embed)
        else:
            first = InputLayer(spec, weights, "lstm", embed.T, weights["embed.bias"].astype(_F32))
        self.stack = LSTMStack(first, (pack_lstm_weights(weights, "lstm", layer) for layer in range(1, config.layers)))
        self.output = weights["output.weight"].astype(_F32).T
        self.bias = weights["output.bias"].astype(_F32)

    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        return self.stack.initial_state(conditions)

    def step(self, parts: LayerStates, steps: NDArray[Any]) -> None:
        self.stack.step(parts, steps)

    def logits(self, parts: LayerStates) -> Floats:
        return np.asarray(parts[-1] @ self.output + self.bias)
