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
from composer.api.sequence import Kind, SequenceSpec

if TYPE_CHECKING:
    from composer.toolkit.models.nade_numpy import Nade

__all__ = ["FirstLayer", "Parts", "Stack", "StepwiseSampler", "UpperLayer", "arranged"]

Parts = list[NDArray[Any]]
"""A state: arrays (B, ...), rows on the first axis."""

_F32 = np.float32


class StepwiseSampler(ABC):
    """A sampler whose next step depends on one vector of logits: a softmax over tokens, or a sigmoid per unit.

    With `nade`, the vector is the biases of one. A subclass writes `start`, `step` and `logits`.
    """

    def __init__(self, spec: SequenceSpec, nade: Nade | None = None) -> None:
        self.spec, self.nade = spec, nade

    @abstractmethod
    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        """The state before a piece's first input, a row for each of `conditions`."""

    @abstractmethod
    def step(self, parts: Parts, steps: NDArray[Any]) -> None:
        """Take in `steps`; arrays of `parts` may be changed or replaced."""

    @abstractmethod
    def logits(self, parts: Parts) -> Floats:
        """The logits (B, V) of the next step, or the biases of a Nade."""

    def begin(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        """The state after the end symbol, or an empty frame, that stands before every piece."""
        rows = len(conditions)
        first = [self.spec.end] * rows if self.spec.kind is Kind.TOKENS else np.zeros((rows, self.spec.size))
        return self.observe(self.start(conditions), np.asarray(first))

    def observe(self, state: Parts, steps: NDArray[Any], active: Bools | None = None) -> Parts:
        """One step, in place."""
        before = None if active is None else [part.copy() for part in state]
        self.step(state, steps)
        if active is None or before is None:
            return state
        rows = np.arange(len(active))
        return _gather(_join(state, before), np.where(active, rows, rows + len(active)))

    def sample(self, state: Parts, how: How, noise: Noise) -> Drawn:
        """Draw the next step."""
        if self.nade is not None:
            return self.nade.draw(self.logits(state), how, noise)
        draw = draw_tokens if self.spec.kind is Kind.TOKENS else draw_frames
        return draw(self.logits(state), how, noise)

    def select(self, state: Parts, rows: Ints, fresh: Parts | None = None) -> Parts:
        """Copy rows; as `fresh` has one row, index -1 is its row."""
        return _gather(state if fresh is None else _join(state, fresh), rows)

    def score(self, state: Parts, steps: NDArray[Any]) -> Floats:
        """Log-probability (B,) of `steps`, in nats."""
        logits = self.logits(state)
        if self.nade is not None:
            return self.nade.logp(logits, steps)
        if self.spec.kind is Kind.FRAMES:
            return frames_logp(logits, steps)
        return np.asarray(log_softmax(logits)[np.arange(len(logits)), steps])


class FirstLayer:
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
        first, self.recurrent, self.bias = arranged(weights, name, layer)
        tables = [weights[f"conditions.{number}.weight"].astype(_F32) for number in range(len(spec.conditions))]
        edges = np.cumsum([vectors.shape[1], *(table.shape[1] for table in tables)])[:-1]
        step, *blocks = np.split(first, edges, axis=0)
        self.tokens, self.table = spec.kind is Kind.TOKENS, vectors @ step
        if offset is not None:
            self.bias = self.bias + offset @ step
        self.conditions = {
            name: (("", *values), table @ block)
            for (name, values), table, block in zip(spec.conditions.items(), tables, blocks, strict=True)
        }

    def start(self, conditions: Sequence[Mapping[str, str]]) -> Floats:
        """`base` (B, 4H), what biases and conditions add to the gates."""
        base = np.tile(self.bias, (len(conditions), 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        return base

    def entering(self, base: Floats, steps: NDArray[Any]) -> Floats:
        """What conditions and `steps` bring to the gates (B, 4H)."""
        return base + (self.table[steps] if self.tokens else _sum_of_rows(self.table, steps))


class Stack:
    """LSTM layers, `first` and above it those of `upper`, each a layer's W, U and b as `arranged` gives them.

    An output enters its own layer at the next step and the layer above at this one, so the two products are made as one
    that is large enough for two cores to share. Not all matrices fit into a core's cache, and the one that was gone
    through last is the one that is still there; so the top layer's own product, which may come first or last, comes
    first at one step and last at the next.
    """

    def __init__(self, first: FirstLayer, upper: Iterable[tuple[Floats, Floats, Floats]]) -> None:
        self.first, self.top = first, first.recurrent
        self.onward: list[tuple[Floats, Floats]] = []
        for entering, recurrent, bias in upper:
            self.onward.append((np.concatenate([self.top.T, entering.T]).T, bias))
            self.top = recurrent
        self._top_first = False

    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        """`base`, each layer's cell (B, H), U h (B, 4H) of each layer but the top, and the top's output."""
        base = self.first.start(conditions)
        matrices = [*(onward for onward, _ in self.onward), self.top]
        ahead = [np.zeros((len(base), len(matrix) * 4), _F32) for matrix in matrices[:-1]]
        cells = [np.zeros((len(base), len(matrix)), _F32) for matrix in matrices]
        return [base, *cells, *ahead, np.zeros_like(cells[-1])]

    def step(self, parts: Parts, steps: NDArray[Any]) -> Floats:
        """The top layer's output (B, H); `parts` change in place."""
        layers, hidden = 1 + len(self.onward), parts[-1]
        gates = self.first.entering(parts[0], steps)
        self._top_first = not self._top_first
        if self._top_first:
            own = hidden @ self.top
        for layer, (onward, bias) in enumerate(self.onward):
            ahead = parts[1 + layers + layer]
            gates += ahead
            both = _cell_step(gates, parts[1 + layer]) @ onward
            parts[1 + layers + layer], gates = both[:, : ahead.shape[1]], both[:, ahead.shape[1] :]
            gates += bias
        if not self._top_first:
            own = hidden @ self.top
        gates += own
        hidden[:] = _cell_step(gates, parts[layers])
        return hidden


class UpperLayer:
    """An LSTM layer above another one: W above U is one matrix, `joined` (I + H, 4H), column after column."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> None:
        entering, recurrent, self.bias = arranged(weights, name, layer)
        self.joined, self.below = np.concatenate([entering.T, recurrent.T], axis=1).T, len(entering)

    def start(self, rows: int) -> Parts:
        """`joined` (B, I + H), the layer's input and its output side by side; `cell` (B, H)."""
        return [np.zeros((rows, len(self.joined)), _F32), np.zeros((rows, len(self.joined) - self.below), _F32)]

    def step(self, joined: Floats, cell: Floats, below: Floats) -> Floats:
        """The layer's output (B, H); `joined` and `cell` change in place."""
        joined[:, : self.below] = below
        gates = joined @ self.joined
        gates += self.bias
        output = _cell_step(gates, cell)
        joined[:, self.below :] = output
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


def arranged(weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> tuple[Floats, Floats, Floats]:
    """A layer's W (I, 4H) and U (H, 4H), both column after column, and b (4H,).

    The gates are in the order i, f, o, g, and i, f and o halved.
    """
    ih, hh, *biases = (weights[f"{name}.{part}_l{layer}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return _regated(ih).T, _regated(hh).T, _regated(biases[0] + biases[1])


def _regated(gates: NDArray[Any]) -> Floats:
    """An array (4H, ...) of the gates i, f, g, o in the order i, f, o, g, with i, f and o halved."""
    quarters, changed = np.split(gates, 4), np.empty(gates.shape, _F32)
    for gate, scale, quarter in zip((0, 1, 3, 2), (0.5, 0.5, 0.5, 1), np.split(changed, 4), strict=True):
        np.multiply(quarters[gate], scale, out=quarter)
    return changed


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """For each frame (B, V), the sum of the rows of its active units: (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])


def _join(one: Parts, other: Parts) -> Parts:
    """The rows of both."""
    return [np.concatenate(pair) for pair in zip(one, other, strict=True)]


def _gather(parts: Parts, rows: Ints) -> Parts:
    return [part[rows] for part in parts]
