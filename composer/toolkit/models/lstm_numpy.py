"""The numpy twin of `composer.api.network.StepwiseNetwork`, and LSTM layers for it: models that play without torch.

What does not change from step to step is done once, when a model is opened: the vectors of steps and conditions times
the first layer's matrix are tables (a step's row is looked up instead of multiplied), and as sigmoid(x) = (1 +
tanh(x / 2)) / 2, the rows of the three gates are halved so that one tanh serves all four. Matrices lie column after
column, so that threads which share a product each have columns of their own, and find them in their own core's cache.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api.sampling.filters import (
    Bools,
    Draw,
    Floats,
    Ints,
    SamplingParams,
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
"""A state: arrays (B, ...), rows on the first axis."""

_F32 = np.float32


class StepwiseSampler(ABC):
    """A sampler whose next step depends on one vector of logits: a softmax over tokens, or a sigmoid per unit.

    With `nade`, the vector is the biases of one. A subclass writes `initial_layer_states`, `step` and `logits`.
    """

    def __init__(self, spec: SequenceSpec, nade: NadeSampler | None = None) -> None:
        self.spec, self.nade = spec, nade

    @abstractmethod
    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """The state before a piece's first input, a row for each of `conditions`."""

    @abstractmethod
    def step(self, parts: LayerStates, steps: NDArray[Any]) -> None:
        """Take in `steps`; arrays of `parts` may be changed or replaced."""

    @abstractmethod
    def logits(self, parts: LayerStates) -> Floats:
        """The logits (B, V) of the next step, or the biases of a NadeSampler."""

    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """The state after the end symbol, or an empty frame, that stands before every piece."""
        rows = len(conditions)
        first = [self.spec.end] * rows if self.spec.kind is StepKind.TOKENS else np.zeros((rows, self.spec.size))
        return self.advance(self.initial_layer_states(conditions), np.asarray(first))

    def advance(self, state: LayerStates, steps: NDArray[Any], active: Bools | None = None) -> LayerStates:
        """One step, in place."""
        before = None if active is None else [part.copy() for part in state]
        self.step(state, steps)
        if active is None or before is None:
            return state
        rows = np.arange(len(active))
        return _gather_rows(_concat_rows(state, before), np.where(active, rows, rows + len(active)))

    def sample(self, state: LayerStates, params: SamplingParams, rng: StepRNG) -> Draw:
        """Draw the next step."""
        if self.nade is not None:
            return self.nade.draw(self.logits(state), params, rng)
        draw = draw_tokens if self.spec.kind is StepKind.TOKENS else draw_frames
        return draw(self.logits(state), params, rng)

    def gather_rows(self, state: LayerStates, rows: Ints, fresh: LayerStates | None = None) -> LayerStates:
        """Copy rows; as `fresh` has one row, index -1 is its row."""
        return _gather_rows(state if fresh is None else _concat_rows(state, fresh), rows)

    def log_prob(self, state: LayerStates, steps: NDArray[Any]) -> Floats:
        """Log-probability (B,) of `steps`, in nats."""
        logits = self.logits(state)
        if self.nade is not None:
            return self.nade.log_prob(logits, steps)
        if self.spec.kind is StepKind.FRAMES:
            return frame_log_prob(logits, steps)
        return np.asarray(log_softmax(logits)[np.arange(len(logits)), steps])


class InputLayer:
    """An LSTM layer that steps enter, with the conditions: `weights` are those of a RecurrentNetwork.

    Its module there is called `name`. `vectors` (V, E) are those of the steps; `offset` (E,) is added to them.
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
        """`base` (B, 4H), what biases and conditions add to the gates."""
        base = np.tile(self.bias, (len(conditions), 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        return base

    def gates(self, base: Floats, steps: NDArray[Any]) -> Floats:
        """What conditions and `steps` bring to the gates (B, 4H)."""
        return base + (self.table[steps] if self.tokens else _sum_of_rows(self.table, steps))


class LSTMStack:
    """LSTM layers, `input_layer` and above it those of `upper`, each a layer's W, U and b as `pack_lstm_weights` gives
    them.

    An output enters its own layer at the next step and the layer above at this one, so the two products are made as one
    that is large enough for two cores to share. Not all matrices fit into a core's cache, and the one that was gone
    through last is the one that is still there; so the top layer's own product, which may come first or last, comes
    first at one step and last at the next.
    """

    def __init__(self, input_layer: InputLayer, upper_layers: Iterable[tuple[Floats, Floats, Floats]]) -> None:
        self.input_layer, self.top_recurrent = input_layer, input_layer.recurrent
        self.joined: list[tuple[Floats, Floats]] = []
        for entering, recurrent, bias in upper_layers:
            self.joined.append((np.concatenate([self.top_recurrent.T, entering.T]).T, bias))
            self.top_recurrent = recurrent
        self._top_product_first = False

    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """`base`, each layer's cell (B, H), U h (B, 4H) of each layer but the top, and the top's output."""
        base = self.input_layer.condition_gates(conditions)
        matrices = [*(onward for onward, _ in self.joined), self.top_recurrent]
        ahead = [np.zeros((len(base), len(matrix) * 4), _F32) for matrix in matrices[:-1]]
        cells = [np.zeros((len(base), len(matrix)), _F32) for matrix in matrices]
        return [base, *cells, *ahead, np.zeros_like(cells[-1])]

    def step(self, parts: LayerStates, steps: NDArray[Any]) -> Floats:
        """The top layer's output (B, H); `parts` change in place."""
        layers, hidden = 1 + len(self.joined), parts[-1]
        gates = self.input_layer.gates(parts[0], steps)
        self._top_product_first = not self._top_product_first
        if self._top_product_first:
            own = hidden @ self.top_recurrent
        for layer, (onward, bias) in enumerate(self.joined):
            ahead = parts[1 + layers + layer]
            gates += ahead
            both = _cell_step(gates, parts[1 + layer]) @ onward
            parts[1 + layers + layer], gates = both[:, : ahead.shape[1]], both[:, ahead.shape[1] :]
            gates += bias
        if not self._top_product_first:
            own = hidden @ self.top_recurrent
        gates += own
        hidden[:] = _cell_step(gates, parts[layers])
        return hidden


class LSTMLayer:
    """An LSTM layer above another one: W above U is one matrix, `joined` (I + H, 4H), column after column."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> None:
        entering, recurrent, self.bias = pack_lstm_weights(weights, name, layer)
        self.joined, self.input_size = np.concatenate([entering.T, recurrent.T], axis=1).T, len(entering)

    def initial_state(self, rows: int) -> LayerStates:
        """`joined` (B, I + H), the layer's input and its output side by side; `cell` (B, H)."""
        return [np.zeros((rows, len(self.joined)), _F32), np.zeros((rows, len(self.joined) - self.input_size), _F32)]

    def step(self, joined: Floats, cell: Floats, below: Floats) -> Floats:
        """The layer's output (B, H); `joined` and `cell` change in place."""
        joined[:, : self.input_size] = below
        gates = joined @ self.joined
        gates += self.bias
        output = _cell_step(gates, cell)
        joined[:, self.input_size :] = output
        return output


def _cell_step(gates: Floats, cell: Floats) -> Floats:
    """One step of a layer: its output (B, H) from the halved gates i, f, o and g (B, 4H); `cell` changes in place."""
    size = cell.shape[1]
    np.tanh(gates, out=gates)
    sigmoids = gates[:, : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    cell *= gates[:, size : 2 * size]
    cell += gates[:, :size] * gates[:, 3 * size :]
    return np.tanh(cell) * gates[:, 2 * size : 3 * size]


def pack_lstm_weights(weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> tuple[Floats, Floats, Floats]:
    """A layer's W (I, 4H) and U (H, 4H), both column after column, and b (4H,).

    The gates are in the order i, f, o, g, and i, f and o halved.
    """
    ih, hh, *biases = (weights[f"{name}.{part}_l{layer}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return _reorder_gates(ih).T, _reorder_gates(hh).T, _reorder_gates(biases[0] + biases[1])


def _reorder_gates(gates: NDArray[Any]) -> Floats:
    """An array (4H, ...) of the gates i, f, g, o in the order i, f, o, g, with i, f and o halved."""
    quarters, changed = np.split(gates, 4), np.empty(gates.shape, _F32)
    for gate, scale, quarter in zip((0, 1, 3, 2), (0.5, 0.5, 0.5, 1), np.split(changed, 4), strict=True):
        np.multiply(quarters[gate], scale, out=quarter)
    return changed


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """For each frame (B, V), the sum of the rows of its active units: (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])


def _concat_rows(one: LayerStates, other: LayerStates) -> LayerStates:
    """The rows of both."""
    return [np.concatenate(pair) for pair in zip(one, other, strict=True)]


def _gather_rows(parts: LayerStates, rows: Ints) -> LayerStates:
    return [part[rows] for part in parts]
