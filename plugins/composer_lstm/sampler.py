"""The LSTM that plays, in numpy: the equations of `network.py`, arranged for one step at a time.

What does not change from step to step is done once, when a model is opened: E W^1 is one table (a step's row is looked
up instead of multiplied), W^l and U^l stand in one matrix, and as sigmoid(x) = (1 + tanh(x / 2)) / 2, the rows of
the three gates are halved so that one tanh serves all four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Kind, SequenceSpec
from composer.api.sampling import (
    Bools,
    Drawn,
    Floats,
    How,
    Ints,
    Noise,
    draw_frames,
    draw_tokens,
    frames_logp,
    log_softmax,
)

if TYPE_CHECKING:
    from composer_lstm import LstmConfig

_F32 = np.float32


@dataclass(slots=True, eq=False)
class _State:
    """`above[l]` (B, 2H): the input and the output of layer l + 1 side by side; `cells[l]` (B, H).

    `hidden` (B, H) is the first layer's output, `base` (B, 4H) what biases and conditions add to its gates.
    """

    base: Floats
    hidden: Floats
    above: list[Floats]
    cells: list[Floats]


class LstmSampler:
    """Plays an LSTM. `weights` are the network's, by their names there."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self.spec, self.size = spec, config.hidden
        layers = [_layer(weights, layer, config.hidden) for layer in range(config.layers)]
        first, self.recurrent, self.bias = layers[0]
        step, *conditions = np.split(
            first, [config.embedding + config.condition * n for n in range(len(spec.conditions))], axis=0
        )
        self.table = _step_table(weights, spec) @ step
        if spec.kind is Kind.FRAMES:
            self.bias = self.bias + weights["embed.bias"].astype(_F32) @ step
        self.conditions = {
            name: (("", *values), weights[f"conditions.{number}.weight"].astype(_F32) @ block)
            for number, ((name, values), block) in enumerate(zip(spec.conditions.items(), conditions, strict=True))
        }
        self.upper = [(np.concatenate([below, own]), bias) for below, own, bias in layers[1:]]
        self.output = np.ascontiguousarray(weights["output.weight"].astype(_F32).T)
        self.output_bias = weights["output.bias"].astype(_F32)

    def begin(self, conditions: Sequence[Mapping[str, str]]) -> _State:
        """The state after the end symbol, or an empty frame, that stands before every piece."""
        rows, size = len(conditions), self.size
        base = np.tile(self.bias, (rows, 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        above = [np.zeros((rows, 2 * size), _F32) for _ in self.upper]
        cells = [np.zeros((rows, size), _F32) for _ in range(1 + len(self.upper))]
        state = _State(base, np.zeros((rows, size), _F32), above, cells)
        first = [self.spec.end] * rows if self.spec.kind is Kind.TOKENS else np.zeros((rows, self.spec.size))
        return self.observe(state, np.asarray(first))

    def observe(self, state: _State, steps: NDArray[Any], active: Bools | None = None) -> _State:
        """One step of the LSTM, in place."""
        before = None if active is None else self.select(state, np.arange(len(state.base)))
        gates = state.hidden @ self.recurrent
        gates += state.base
        gates += self.table[steps] if self.spec.kind is Kind.TOKENS else _sum_of_rows(self.table, steps)
        state.hidden = output = _cell(gates, state.cells[0])
        for (weight, bias), joined, cell in zip(self.upper, state.above, state.cells[1:], strict=True):
            joined[:, : self.size] = output
            gates = joined @ weight
            gates += bias
            output = _cell(gates, cell)
            joined[:, self.size :] = output
        if active is None or before is None:
            return state
        rows = np.arange(len(active))
        return self._gather(self._join(state, before), np.where(active, rows, rows + len(active)))

    def sample(self, state: _State, how: How, noise: Noise) -> Drawn:
        """Draw the next step."""
        draw = draw_tokens if self.spec.kind is Kind.TOKENS else draw_frames
        return draw(self._logits(state), how, noise)

    def select(self, state: _State, rows: Ints, fresh: _State | None = None) -> _State:
        """Copy rows."""
        return self._gather(state if fresh is None else self._join(state, fresh), rows)

    def score(self, state: _State, steps: NDArray[Any]) -> Floats:
        """Log-probability (B,) of `steps`, in nats."""
        logits = self._logits(state)
        if self.spec.kind is Kind.FRAMES:
            return frames_logp(logits, steps)
        return np.asarray(log_softmax(logits)[np.arange(len(logits)), steps])

    def _logits(self, state: _State) -> Floats:
        output = state.above[-1][:, self.size :] if state.above else state.hidden
        return np.asarray(output @ self.output + self.output_bias)

    @staticmethod
    def _join(one: _State, other: _State) -> _State:
        """The rows of both; as `fresh` has one row, index -1 is its row."""
        return _State(
            np.concatenate([one.base, other.base]),
            np.concatenate([one.hidden, other.hidden]),
            [np.concatenate(pair) for pair in zip(one.above, other.above, strict=True)],
            [np.concatenate(pair) for pair in zip(one.cells, other.cells, strict=True)],
        )

    @staticmethod
    def _gather(state: _State, rows: Ints) -> _State:
        return _State(
            state.base[rows],
            state.hidden[rows],
            [part[rows] for part in state.above],
            [part[rows] for part in state.cells],
        )


def _cell(gates: Floats, cell: Floats) -> Floats:
    """One step of a layer: its output (B, H) from the halved gates i, f, o and g (B, 4H); `cell` changes in place."""
    size = cell.shape[1]
    np.tanh(gates, out=gates)
    sigmoids = gates[:, : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    cell *= gates[:, size : 2 * size]
    cell += gates[:, :size] * gates[:, 3 * size :]
    return np.tanh(cell) * gates[:, 2 * size : 3 * size]


def _layer(weights: Mapping[str, NDArray[Any]], layer: int, size: int) -> tuple[Floats, Floats, Floats]:
    """A layer's W, U (inputs x 4H) and b (4H,), in the order i, f, o, g, the rows of i, f and o halved."""
    order = np.concatenate([np.arange(0, 2 * size), np.arange(3 * size, 4 * size), np.arange(2 * size, 3 * size)])
    half = np.repeat([0.5, 0.5, 0.5, 1.0], size).astype(_F32)

    def arranged(name: str) -> Floats:
        return np.ascontiguousarray(weights[f"lstm.{name}_l{layer}"].astype(_F32)[order].T * half)

    return arranged("weight_ih"), arranged("weight_hh"), arranged("bias_ih") + arranged("bias_hh")


def _step_table(weights: Mapping[str, NDArray[Any]], spec: SequenceSpec) -> Floats:
    """E (V, embedding), or A transposed."""
    embed = weights["embed.weight"].astype(_F32)
    return embed if spec.kind is Kind.TOKENS else embed.T


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """For each frame (B, V), the sum of the rows of its active units: (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])
