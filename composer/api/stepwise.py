"""The numpy twin of `composer.api.network.StepwiseNetwork`, and LSTM layers for it: models that play without torch.

What does not change from step to step is done once, when a model is opened: the vectors of steps and conditions times
the first layer's matrix are tables (a step's row is looked up instead of multiplied), the input's and the output's
matrix of a layer stand in one, and as sigmoid(x) = (1 + tanh(x / 2)) / 2, the rows of the three gates are halved so
that one tanh serves all four.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from composer.api.sequence import Kind, SequenceSpec

__all__ = ["FirstLayer", "Parts", "StepwiseSampler", "UpperLayer", "cell_step"]

Parts = list[NDArray[Any]]
"""A state: arrays (B, ...), rows on the first axis."""

_F32 = np.float32


class StepwiseSampler(ABC):
    """A sampler whose next step depends on one vector of logits: a softmax over tokens, or a sigmoid per unit.

    A subclass writes `start`, `step` and `logits`.
    """

    def __init__(self, spec: SequenceSpec) -> None:
        self.spec = spec

    @abstractmethod
    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        """The state before a piece's first input, a row for each of `conditions`."""

    @abstractmethod
    def step(self, parts: Parts, steps: NDArray[Any]) -> None:
        """Take in `steps`; arrays of `parts` may be changed or replaced."""

    @abstractmethod
    def logits(self, parts: Parts) -> Floats:
        """The logits (B, V) of the next step."""

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
        draw = draw_tokens if self.spec.kind is Kind.TOKENS else draw_frames
        return draw(self.logits(state), how, noise)

    def select(self, state: Parts, rows: Ints, fresh: Parts | None = None) -> Parts:
        """Copy rows; as `fresh` has one row, index -1 is its row."""
        return _gather(state if fresh is None else _join(state, fresh), rows)

    def score(self, state: Parts, steps: NDArray[Any]) -> Floats:
        """Log-probability (B,) of `steps`, in nats."""
        logits = self.logits(state)
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
        arranged, entering, self.bias = _arranged(weights, name, layer)
        first, self.recurrent = arranged[:entering], arranged[entering:]
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

    def start(self, conditions: Sequence[Mapping[str, str]]) -> Parts:
        """`base` (B, 4H), what biases and conditions add to the gates; `hidden` and `cell` (B, H)."""
        rows, size = len(conditions), len(self.bias) // 4
        base = np.tile(self.bias, (rows, 1))
        for name, (values, table) in self.conditions.items():
            base += table[[values.index(row.get(name, "")) for row in conditions]]
        return [base, np.zeros((rows, size), _F32), np.zeros((rows, size), _F32)]

    def step(self, base: Floats, hidden: Floats, cell: Floats, steps: NDArray[Any]) -> Floats:
        """The layer's output (B, H), which is the next `hidden`; `cell` changes in place."""
        gates = self.entering(base, steps)
        gates += hidden @ self.recurrent
        return cell_step(gates, cell)

    def entering(self, base: Floats, steps: NDArray[Any]) -> Floats:
        """What conditions and `steps` bring to the gates (B, 4H)."""
        return base + (self.table[steps] if self.tokens else _sum_of_rows(self.table, steps))


class UpperLayer:
    """An LSTM layer above another one."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], name: str, layer: int = 0) -> None:
        self.weight, self.below, self.bias = _arranged(weights, name, layer)
        self.size = len(self.weight) - self.below

    def start(self, rows: int) -> Parts:
        """`joined` (B, I + H), the layer's input and its output side by side; `cell` (B, H)."""
        return [np.zeros((rows, self.below + self.size), _F32), np.zeros((rows, self.size), _F32)]

    def step(self, joined: Floats, cell: Floats, below: Floats) -> Floats:
        """The layer's output (B, H); `joined` and `cell` change in place."""
        joined[:, : self.below] = below
        gates = joined @ self.weight
        gates += self.bias
        output = cell_step(gates, cell)
        joined[:, self.below :] = output
        return output


def cell_step(gates: Floats, cell: Floats) -> Floats:
    """One step of a layer: its output (B, H) from the halved gates i, f, o and g (B, 4H); `cell` changes in place."""
    size = cell.shape[1]
    np.tanh(gates, out=gates)
    sigmoids = gates[:, : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    cell *= gates[:, size : 2 * size]
    cell += gates[:, :size] * gates[:, 3 * size :]
    return np.tanh(cell) * gates[:, 2 * size : 3 * size]


def _arranged(weights: Mapping[str, NDArray[Any]], name: str, layer: int) -> tuple[Floats, int, Floats]:
    """A layer's W above its U, one matrix (I + H, 4H), the I where they meet, and b (4H,).

    The gates are in the order i, f, o, g, and i, f and o halved.
    """
    parts = [weights[f"{name}.weight_{part}_l{layer}"] for part in ("ih", "hh")]
    size = parts[1].shape[1]
    places = [slice(place * size, (place + 1) * size) for place in range(4)]
    arranged = np.empty((parts[0].shape[1] + size, 4 * size), _F32)
    bias, before = np.empty(4 * size, _F32), weights[f"{name}.bias_ih_l{layer}"] + weights[f"{name}.bias_hh_l{layer}"]
    for place, gate, scale in zip(places, (0, 1, 3, 2), (0.5, 0.5, 0.5, 1), strict=True):
        start = 0
        for part in parts:
            stop = start + part.shape[1]
            np.multiply(part[places[gate]].T, scale, out=arranged[start:stop, place])
            start = stop
        np.multiply(before[places[gate]], scale, out=bias[place])
    return arranged, len(arranged) - size, bias


def _sum_of_rows(table: Floats, frames: NDArray[Any]) -> Floats:
    """For each frame (B, V), the sum of the rows of its active units: (B, 4H)."""
    return np.stack([table[np.flatnonzero(frame)].sum(axis=0) for frame in frames])


def _join(one: Parts, other: Parts) -> Parts:
    """The rows of both."""
    return [np.concatenate(pair) for pair in zip(one, other, strict=True)]


def _gather(parts: Parts, rows: Ints) -> Parts:
    return [part[rows] for part in parts]
