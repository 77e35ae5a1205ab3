"""The LSTM that plays, in numpy: the equations of `network.py`, one step at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Kind, SequenceSpec
from composer.api.sampling import Floats
from composer.api.stepwise import FirstLayer, Parts, StepwiseSampler, UpperLayer

if TYPE_CHECKING:
    from composer_lstm import LstmConfig

_F32 = np.float32


class LstmSampler(StepwiseSampler):
    """Plays an LSTM. `weights` are the network's, by their names there.

    The state: `base`, `hidden` and `cell` of the first layer, then `joined` and `cell` of each above.
    """

    def __init__(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec)
        embed = weights["embed.weight"].astype(_F32)
        if spec.kind is Kind.TOKENS:
            self.first = FirstLayer(spec, weights, "lstm", embed)
        else:
            self.first = FirstLayer(spec, weights, "lstm", embed.T, weights["embed.bias"].astype(_F32))
        self.upper = [UpperLayer(weights, "lstm", layer) for layer in range(1, config.layers)]
        self.output = np.ascontiguousarray(weights["output.weight"].astype(_F32).T)
        self.bias = weights["output.bias"].astype(_F32)

    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        parts = self.first.start(conditions)
        for layer in self.upper:
            parts += layer.start(len(conditions))
        return parts

    def step(self, parts: Parts, steps: NDArray[Any]) -> None:
        base, hidden, cell, *above = parts
        parts[1] = output = self.first.step(base, hidden, cell, steps)
        for layer, joined, own in zip(self.upper, above[::2], above[1::2], strict=True):
            output = layer.step(joined, own, output)

    def logits(self, parts: Parts) -> Floats:
        output = parts[-2][:, -len(self.output) :] if self.upper else parts[1]
        return np.asarray(output @ self.output + self.bias)
