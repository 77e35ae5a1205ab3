"""Sample whole frames v from p(v)^(1/T), of which only candidates are known: temperature and filters, in numpy.

A distribution over frames can be evaluated for any frame, but not for all of them. So a few candidates are drawn from a
proposal q, and one of the distinct ones is drawn with the weight

    p(v)^(1/T) / r(v)        r(v) = 1 - (1 - q(v))^n

where r is the probability that v is among n candidates (Horvitz and Thompson 1952). This is exact if all frames are
candidates, and approximate else: what is likely at T but not among the candidates is left out, so the result lies
between q and the goal. q is the model at the temperature max(T, 1), unit by unit, since p(v)^(1/T) is mostly more even
than the model if T is above 1, and more uneven else. Top-k and min-p look at p of the candidates; top-p at their
weights, which estimate how much each stands for. `torch_joint_frames` has the same in torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.api.sampling.rng import Floats, Ints

__all__ = ["CANDIDATES", "LOWEST_TEMPERATURE", "Truncation", "candidate_keys", "first_occurrences", "gumbel"]

CANDIDATES = 16
"""Candidates per frame, one of which is greedy. With 8, 0.7 % of the frames of the bundled piano-roll model are silent
at temperature 0.6; with 16, none is, and a frame takes twice the time of one at temperature 1."""

LOWEST_TEMPERATURE = 1e-6
"""Lower temperatures are computed as this one."""

Bools = NDArray[np.bool_]


class Truncation(NamedTuple):
    """Top-k, top-p and min-p of each row: arrays (B,)."""

    top_k: Ints
    top_p: Floats
    min_p: Floats

    def keep(self, probs: Floats, density: Floats) -> Bools:
        """Return which of the items (B, V) are kept, by `density`, of which `probs` are estimates of the mass.

        The item of highest density always is. Ties are ordered by number, so that results do not depend on the
        platform.
        """
        size = probs.shape[1]
        order = np.argsort(-density, axis=1, kind="stable")
        ranked, dense = (np.take_along_axis(each, order, axis=1) for each in (probs, density))
        keep = np.arange(size) < np.where(self.top_k > 0, self.top_k, size)[:, None]
        ranked = np.where(keep, ranked, 0)
        before = np.cumsum(ranked, axis=1) - ranked
        keep &= before < self.top_p[:, None] * ranked.sum(axis=1, keepdims=True)
        keep &= dense >= self.min_p[:, None] * dense[:, :1]
        keep[:, 0] = True
        kept = np.zeros_like(keep)
        np.put_along_axis(kept, order, keep, axis=1)
        return kept


def candidate_keys(
    logp: Floats,
    logq: Floats,
    valid: Bools,
    temperature: Floats,
    truncation: Truncation | None,
    noise: Floats,
) -> Floats:
    """Return keys (B, M) of candidates, the highest of which is a draw; -inf for those that are not `valid` (B, M).

    Without the highest, the next is a draw from the others. `logp` (B, M) are log-probabilities by the model and `logq`
    by the proposal, in nats; the first candidate is certain, the others are drawn. `noise` (B, M) are Gumbel numbers.
    The highest key of a row at a `temperature` (B,) of 0 is that of the likeliest candidate.
    """
    logp, draws = logp.astype(np.float64), logp.shape[1] - 1
    density = np.where(valid, logp / np.maximum(temperature, LOWEST_TEMPERATURE)[:, None], -np.inf)
    # log r, which is log(n q) for the smallest q
    q = np.exp(np.minimum(logq.astype(np.float64), -1e-12))
    found = np.where(q > 1e-9, np.log(-np.expm1(draws * np.log1p(-q)) + 1e-300), np.log(draws) + logq)
    found[:, 0] = 0
    weights = density - found
    if truncation is not None:
        probs = np.exp(weights - weights.max(axis=1, keepdims=True))
        dense = np.exp(density - density.max(axis=1, keepdims=True))
        weights = np.where(truncation.keep(probs, dense), weights, -np.inf)
    return np.where(temperature[:, None] > 0, weights + noise, np.where(valid, logp, -np.inf))


def first_occurrences(frames: NDArray[Any]) -> Bools:
    """Return which of the candidates (B, M, V) differ from all before them in their row: (B, M)."""
    units = frames.astype(np.float32)
    shared = units @ units.swapaxes(1, 2)  # equal frames share all units of both
    counts = units.sum(axis=2)
    same = (shared == counts[:, :, None]) & (shared == counts[:, None, :])
    return np.asarray(~(same & np.tri(frames.shape[1], k=-1, dtype=bool)).any(axis=2))


def gumbel(numbers: Floats) -> Floats:
    """Return Gumbel numbers from uniform ones: the highest of log w + Gumbel has probability w / sum(w)."""
    return np.asarray(-np.log(-np.log(np.maximum(numbers, 1e-300))))
