"""Base class of numpy samplers whose next step depends on one output vector: the counterpart of `stepwise_torch`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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

__all__ = ["LayerStates", "StepwiseSampler"]

LayerStates = list[NDArray[Any]]
"""State: arrays (B, ...)."""


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
    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> None:
        """Advance by `steps`; may change or replace the arrays in `parts`.

        `features` (B, F) are the position features of the steps that come next, given only if the spec has any.
        """

    @abstractmethod
    def logits(self, parts: LayerStates) -> Floats:
        """Return the logits (B, V) of the next step, or the biases of a NadeSampler."""

    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> LayerStates:
        """Return the state after the end symbol, or empty frame, that precedes every piece."""
        rows = len(conditions)
        first = [self.spec.end] * rows if self.spec.kind is StepKind.TOKENS else np.zeros((rows, self.spec.size))
        return self.advance(self.initial_layer_states(conditions), np.asarray(first), None, features)

    def advance(
        self, state: LayerStates, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> LayerStates:
        """Advance by one step, in place."""
        before = None if active is None else [part.copy() for part in state]
        if features is None:
            self.step(state, steps)
        else:
            self.step(state, steps, features)
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


def _concat_rows(one: LayerStates, other: LayerStates) -> LayerStates:
    return [np.concatenate(pair) for pair in zip(one, other, strict=True)]


def _gather_rows(parts: LayerStates, rows: Ints) -> LayerStates:
    return [part[rows] for part in parts]
