"""LSTM samplers in numpy, for generation without torch: the counterpart of `stepwise_torch` and `lstm_torch`.

Constant work is done once, at loading. Embeddings are multiplied by the first layer's matrix, so that each step is a
table lookup. As sigmoid(x) = (1 + tanh(x / 2)) / 2, the weights of three gates are halved, so that one tanh serves all
four. Matrices are stored by columns, so that threads sharing a product each find their columns in their core's cache.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api.sampling.filters import (
    BatchSamplingParams,
    Bools,
    Draw,
    Floats,
    Ints,
    StepRNG,
    draw_frames,
    draw_tokens,
    frame_log_prob,
    log_softmax,
)
from composer.api.sequence import SequenceSpec, StepKind

if TYPE_CHECKING:
    from composer.toolkit.models.nade_numpy import NadeSampler

__all__ = ["InputLayer", "LSTMLayer", "LSTMStack", "LayerStates", "StepwiseSampler", "pack_lstm_weights"]

LayerStates = list[NDArray[Any]]
"""State: arrays (B, ...)."""

_F32 = np.float32


class StepwiseSampler(ABC):
    """A sampler with one vector of logits per step: a softmax over tokens, or a sigmoid per unit.

    With `nade`, the vector has its biases. Subclasses implement `initial_layer_states`, `step` and `logits`.
    """

    def __init__(self, spec: SequenceSpec, nade: NadeSampler | None = None) -> None:
        self.spec, self.nade = spec, nade

    @abstractmethod
    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """Return the state before the first input of a piece, one row per item of `conditions`."""

    @abstractmethod
    def step(self, parts: LayerStates, steps: NDArray[Any]) -> None:
        """Advance by `steps`; may change or replace the arrays in `parts`."""

    @abstractmethod
    def logits(self, parts: LayerStates) -> Floats:
        """Return the logits (B, V) of the next step, or the biases of a NadeSampler."""

    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """Return the state after the end symbol, or empty frame, that precedes every piece."""
        rows = len(conditions)
        first = [self.spec.end] * rows if self.spec.kind is StepKind.TOKENS else np.zeros((rows, self.spec.size))
        return self.advance(self.initial_layer_states(conditions), np.asarray(first))

    def advance(self, state: LayerStates, steps: NDArray[Any], active: Bools | None = None) -> LayerStates:
        """Advance by one step, in place."""
        before = None if active is None else [part.copy() for part in state]
        self.step(state, steps)
        if active is None or before is None:
            return state
        rows = np.arange(len(active))
        return _gather_rows(_concat_rows(state, before), np.where(active, rows, rows + len(active)))

    def sample(self, state: LayerStates, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        if self.nade is not None:
            return self.nade.draw(self.logits(state), params, rng)
        draw = draw_tokens if self.spec.kind is StepKind.TOKENS else draw_frames
        return draw(self.logits(state), params, rng)

    def gather_rows(self, state: LayerStates, rows: Ints, fresh: LayerStates | None = None) -> LayerStates:
        """Return a copy of these rows; as `fresh` has one row, index -1 is that row."""
        return _gather_rows(state if fresh is None else _concat_rows(state, fresh), rows)

    def log_prob(self, state: LayerStates, steps: NDArray[Any]) -> Floats:
        """Return the log-probability (B,) of `steps` in nats."""
        logits = self.logits(state)
        if self.nade is not None:
            return self.nade.log_prob(logits, steps)
        if self.spec.kind is StepKind.FRAMES:
            return frame_log_prob(logits, steps)
        return np.asarray(log_softmax(logits)[np.arange(len(logits)), steps])


class InputLayer:
    """The first LSTM layer, with inputs from steps and conditions; `weights` are those of a RecurrentNetwork.

    `name` is that of its LSTM module. `vectors` (V, E) are the embeddings of steps; `offset` (E,) is added to them.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        weights: Mapping[str, NDArray[Any]],
        name: str,
        vectors: Floats,
        offset: Floats | None = None,
        layer: int = 0,
    ) -> None:
        first, self.recurrent, self.bias = pack_lstm_weights(weights, name, layer)
        tables = [weights[f"conditions.{number}.weight"].astype(_F32) for number in range(len(spec.conditions))]
        edges = np.cumsum([vectors.shape[1], *(table.shape[1] for table in tables)])[:-1]
        step, *blocks = np.split(first, edges, axis=0)
        self.tokens, self.table = spec.kind is StepKind.TOKENS, vectors @ step
        if offset is not None:
            self.bias = self.bias + offset @ step
        self.conditions = {
            name: (("", *values), table @ block)
            for (name, values), table, block in zip(spec.conditions.items(), tables, blocks, strict=True)
        }

    def condition_gates(self, conditions: Sequence[Mapping[str, str]]) -> Floats:
        """Return the contribution (B, 4H) of biases and conditions to the gates."""
        base = np.tile(self.bias, (len(conditions), 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        return base

    def gates(self, base: Floats, steps: NDArray[Any]) -> Floats:
        """Return the gate inputs (B, 4H) from `base` and `steps`."""
        return base + (self.table[steps] if self.tokens else _sum_of_rows(self.table, steps))


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
        base = self.input_layer.condition_gates(conditions)
        matrices = [*(joined for joined, _ in self.joined), self.top_recurrent]
        recurrent_gates = [np.zeros((len(base), len(matrix) * 4), _F32) for matrix in matrices[:-1]]
        cells = [np.zeros((len(base), len(matrix)), _F32) for matrix in matrices]
        return [base, *cells, *recurrent_gates, np.zeros_like(cells[-1])]

    def step(self, parts: LayerStates, steps: NDArray[Any]) -> Floats:
        """Return the top layer's output (B, H); changes `parts` in place."""
        layers, hidden = 1 + len(self.joined), parts[-1]
        gates = self.input_layer.gates(parts[0], steps)
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


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """Sum the rows of the active units of each frame (B, V): (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])


def _concat_rows(one: LayerStates, other: LayerStates) -> LayerStates:
    return [np.concatenate(pair) for pair in zip(one, other, strict=True)]


def _gather_rows(parts: LayerStates, rows: Ints) -> LayerStates:
    return [part[rows] for part in parts]
