"""The LSTM that plays, in numpy: the equations of `network.py`, one step at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Kind, SequenceSpec
from composer.api.sampling import Floats
from composer.api.stepwise import FirstLayer, Parts, StepwiseSampler, UpperLayer, cell_step

if TYPE_CHECKING:
    from composer_lstm import LstmConfig

_F32 = np.float32


class LstmSampler(StepwiseSampler):
    """Plays an LSTM. `weights` are the network's, by their names there.

    A layer's matrices do not all fit into a core's cache, and one that was gone through last is the one that is still
    there. So the products that may come in any order, which are those that wait for nothing but one layer's output, are
    made in this order at one step, and in the opposite order at the next. Therefore every layer but the top one makes
    its U h for the next step at once.

    The state: `base`, the cells of each layer, U h (B, 4H) of each layer but the top, and the top's output.
    """

    def __init__(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec)
        embed = weights["embed.weight"].astype(_F32)
        if spec.kind is Kind.TOKENS:
            self.first = FirstLayer(spec, weights, "lstm", embed)
        else:
            self.first = FirstLayer(spec, weights, "lstm", embed.T, weights["embed.bias"].astype(_F32))
        self.upper = [UpperLayer(weights, "lstm", layer) for layer in range(1, config.layers)]
        self.own = [self.first.recurrent, *(layer.weight[layer.below :] for layer in self.upper)]
        self.output = np.ascontiguousarray(weights["output.weight"].astype(_F32).T)
        self.bias = weights["output.bias"].astype(_F32)
        self.turn = 1

    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        base, hidden, _ = self.first.start(conditions)
        cells = [np.zeros_like(hidden) for _ in self.own]
        return [base, *cells, *(np.zeros_like(base) for _ in self.upper), hidden]

    def step(self, parts: Parts, steps: NDArray[Any]) -> None:
        layers = len(self.own)
        cells, ahead, hidden = parts[1 : 1 + layers], parts[1 + layers : -1], parts[-1]
        gates, own = self.first.entering(parts[0], steps), np.empty_like(parts[0])
        if not self.upper:
            np.dot(hidden, self.own[0], own)
        self.turn = -self.turn
        for number, layer in enumerate(self.upper):
            gates += ahead[number]
            output, gates = cell_step(gates, cells[number]), np.empty_like(gates)
            products = [(output, self.own[number], ahead[number]), (output, layer.weight[: layer.below], gates)]
            if number == layers - 2:
                products.append((hidden, self.own[-1], own))
            for vectors, matrix, into in products[:: self.turn]:
                np.dot(vectors, matrix, into)
            gates += layer.bias
        gates += own
        hidden[:] = cell_step(gates, cells[-1])

    def logits(self, parts: Parts) -> Floats:
        return np.asarray(parts[-1] @ self.output + self.bias)
