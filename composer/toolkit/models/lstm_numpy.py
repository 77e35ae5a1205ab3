"""LSTM layers in numpy, for generation without torch: the counterpart of `lstm_torch`.

Constant work is done once, at loading. Embeddings are multiplied by the first layer's matrix, so that each step is a
table lookup. As sigmoid(x) = (1 + tanh(x / 2)) / 2, the weights of three gates are halved, so that one tanh serves all
four. Matrices are stored by columns, so that threads sharing a product each find their columns in their core's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api.sampling.filters import Floats, Ints
from composer.api.sequence import SequenceSpec
from composer.toolkit.models.embedded_numpy import EmbeddedInput
from composer.toolkit.models.stepwise_numpy import LayerStates

__all__ = ["InputLayer", "LSTMLayer", "LSTMStack", "pack_lstm_weights"]

_F32 = np.float32


class InputLayer(EmbeddedInput):
    """The first LSTM layer of an EmbeddedNetwork: its input is folded into tables of gates.

    `name` is that of its LSTM module; the other parameters are those of EmbeddedInput.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        weights: Mapping[str, NDArray[Any]],
        name: str,
        vectors: Floats | None = None,
        offset: Floats | None = None,
        layer: int = 0,
    ) -> None:
        below, self.recurrent, bias = pack_lstm_weights(weights, name, layer)
        super().__init__(spec, weights, below, bias, vectors, offset)


class LSTMStack:
    """Stacked LSTM layers: `input_layer`, and above it `upper_layers` with W, U and b from `pack_lstm_weights`.

    A layer's output is multiplied by its own U and by W of the layer above. Both are one product, large enough for two
    cores to share. The matrices do not all fit into a core's cache, where the last one used remains; so the top layer's
    own product, which can be computed first or last, alternates between the two.
    """

    def __init__(self, input_layer: InputLayer, upper_layers: Iterable[tuple[Floats, Floats, Floats]]) -> None:
        self.input_layer, self.top_recurrent = input_layer, input_layer.recurrent
        self.joined: list[tuple[Floats, Floats]] = []
        for below, recurrent, bias in upper_layers:
            self.joined.append((np.concatenate([self.top_recurrent.T, below.T]).T, bias))
            self.top_recurrent = recurrent
        self._top_product_first = False

    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """Return `base`, each layer's cell (B, H), U h (B, 4H) of each layer but the top, and the top's output."""
        base = self.input_layer.base(conditions)
        matrices = [*(joined for joined, _ in self.joined), self.top_recurrent]
        recurrent_gates = [np.zeros((len(base), len(matrix) * 4), _F32) for matrix in matrices[:-1]]
        cells = [np.zeros((len(base), len(matrix)), _F32) for matrix in matrices]
        return [base, *cells, *recurrent_gates, np.zeros_like(cells[-1])]

    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> Floats:
        """Return the top layer's output (B, H); changes `parts` in place."""
        layers, hidden = 1 + len(self.joined), parts[-1]
        gates = self.input_layer.project(parts[0], steps, features)
        self._top_product_first = not self._top_product_first
        if self._top_product_first:
            own = hidden @ self.top_recurrent
        for layer, (joined, bias) in enumerate(self.joined):
            recurrent_gates = parts[1 + layers + layer]
            gates += recurrent_gates
            both = _cell_step(gates, parts[1 + layer]) @ joined
            parts[1 + layers + layer], gates = both[:, : recurrent_gates.shape[1]], both[:, recurrent_gates.shape[1] :]
            gates += bias
        if not self._top_product_first:
            own = hidden @ self.top_recurrent
        gates += own
        hidden[:] = _cell_step(gates, parts[layers])
        return hidden


class LSTMLayer:
    """An LSTM layer above another; W and U form one matrix, `joined` (I + H, 4H), stored by columns."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> None:
        below, recurrent, self.bias = pack_lstm_weights(weights, name, layer)
        self.joined, self.input_size = np.concatenate([below.T, recurrent.T], axis=1).T, len(below)

    def initial_state(self, rows: int) -> LayerStates:
        """Return `joined` (B, I + H), the input and output side by side, and `cell` (B, H)."""
        return [np.zeros((rows, len(self.joined)), _F32), np.zeros((rows, len(self.joined) - self.input_size), _F32)]

    def step(self, joined: Floats, cell: Floats, below: Floats) -> Floats:
        """Return the layer's output (B, H); changes `joined` and `cell` in place."""
        joined[:, : self.input_size] = below
        gates = joined @ self.joined
        gates += self.bias
        output = _cell_step(gates, cell)
        joined[:, self.input_size :] = output
        return output


def _cell_step(gates: Floats, cell: Floats) -> Floats:
    """Return a layer's output (B, H) from the gates i, f, o (halved) and g (B, 4H); changes `cell` in place."""
    size = cell.shape[1]
    np.tanh(gates, out=gates)
    sigmoids = gates[:, : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    cell *= gates[:, size : 2 * size]
    cell += gates[:, :size] * gates[:, 3 * size :]
    return np.tanh(cell) * gates[:, 2 * size : 3 * size]


def pack_lstm_weights(weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return a layer's W (I, 4H) and U (H, 4H), stored by columns, and b (4H,).

    Gates are in the order i, f, o, g, with i, f and o halved.
    """
    ih, hh, *biases = (weights[f"{name}.{part}_l{layer}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return _reorder_gates(ih).T, _reorder_gates(hh).T, _reorder_gates(biases[0] + biases[1])


def _reorder_gates(gates: NDArray[Any]) -> Floats:
    """Reorder the gates of an array (4H, ...) from i, f, g, o to i, f, o, g, and halve i, f and o."""
    quarters, changed = np.split(gates, 4), np.empty(gates.shape, _F32)
    for gate, scale, quarter in zip((0, 1, 3, 2), (0.5, 0.5, 0.5, 1), np.split(changed, 4), strict=True):
        np.multiply(quarters[gate], scale, out=quarter)
    return changed
