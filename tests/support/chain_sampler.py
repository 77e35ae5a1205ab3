"""A tiny sampler of tokens for tests of generation."""

import numpy as np

from composer.api import SequenceSpec, StepKind
from composer.api.sampling.filters import draw_tokens

SPEC = SequenceSpec(StepKind.TOKENS, size=5, end=0)


class Chain:
    """A sampler whose next token depends on the last two only."""

    logits = np.random.default_rng(3).normal(size=(5, 5, 5))

    def initial_state(self, conditions):
        return np.zeros((len(conditions), 2), int)

    def advance(self, state, steps, active=None):
        return np.stack([state[:, 1], steps], axis=1)

    def sample(self, state, params, rng):
        return draw_tokens(self.logits[state[:, 0], state[:, 1]], params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return (state if fresh is None else np.concatenate([state, fresh]))[rows]

    def log_prob(self, state, steps):
        raise AssertionError("generating needs no scores")
