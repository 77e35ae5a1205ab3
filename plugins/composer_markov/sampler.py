"""Markov sampler in numpy: its state is the last steps of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, StepKind
from composer.api.sampling.filters import Floats, Ints
from composer.toolkit.models.stepwise_numpy import LayerStates, StepwiseSampler
from composer_markov.config import MarkovConfig
from composer_markov.frame_tables import FrameTables
from composer_markov.token_tables import TokenTables


class MarkovSampler(StepwiseSampler):
    """Generates with a Markov chain. `weights` are the counts of the network, under the same names."""

    def __init__(self, spec: SequenceSpec, config: MarkovConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(spec)
        self.order = config.order
        if spec.kind is StepKind.TOKENS:
            self._logits = TokenTables(spec.size, config.order, weights["ngrams"], weights["counts"]).log_probs
        else:
            self._logits = FrameTables(spec.size, config.order, weights["counts"]).logits

    def initial_layer_states(self, conditions: Sequence[Mapping[str, str]]) -> LayerStates:
        """Return what comes before a piece: end symbols, or empty frames."""
        return [np.repeat(history_before_piece(self.spec, self.order)[None], len(conditions), axis=0)]

    def step(self, parts: LayerStates, steps: NDArray[Any], features: Ints | None = None) -> None:
        newest = np.asarray(steps).astype(parts[0].dtype)[:, None]
        parts[0] = np.concatenate([parts[0], newest], axis=1)[:, -parts[0].shape[1] :]

    def logits(self, parts: LayerStates) -> Floats:
        return self._logits(parts[0]).astype(np.float32)


def history_before_piece(spec: SequenceSpec, order: int) -> NDArray[Any]:
    """Return the steps before a piece, (max(order, 1),) or (max(order, 1), V)."""
    length = max(order, 1)
    if spec.kind is StepKind.TOKENS:
        return np.full(length, spec.end, np.int64)
    return np.zeros((length, spec.size), np.int8)
