"""From a model's outputs to the next step: filters, in numpy, for the numbers that `composer.api.sampling.rng` makes.

The order is always rule, temperature, top-k, top-p and min-p. `torch_filters` holds the torch twin of each
function; tests keep the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from composer.api.representation import FrameRule, Limit, Mask
from composer.api.sampling.rng import CounterNoise, Floats, Ints, Noise, Onward

__all__ = [
    "Bools",
    "CounterNoise",
    "Drawn",
    "Floats",
    "How",
    "Ints",
    "Noise",
    "Onward",
    "clamps",
    "draw_frames",
    "draw_tokens",
    "frames_logp",
    "log_softmax",
    "mask_array",
    "obey",
]

Bools = NDArray[np.bool_]


class How:
    """How to draw the next step, each array with one entry per row, shape (B,).

    For many steps at a time (see `composer.api.model.Running`) `temperature` may also be (T, B), a row for each step.
    `temperature` 0 is greedy; `top_k` 0, `top_p` 1 and `min_p` 0 are off. `rule` is None where anything goes, a
    boolean array (B, V) of allowed tokens, or one FrameRule (or None) per row. Immutable: `under` gives the same
    with another rule, `at` with other temperatures.
    """

    __slots__ = ("filters", "greedy", "min_p", "plain", "rule", "temperature", "top_k", "top_p")

    def __init__(
        self,
        temperature: Floats,
        top_k: Ints,
        top_p: Floats,
        min_p: Floats,
        rule: Bools | Sequence[FrameRule | None] | None = None,
    ) -> None:
        self.temperature, self.top_k, self.top_p, self.min_p, self.rule = temperature, top_k, top_p, min_p, rule
        # asked for at every step, and the same at every step
        self.filters = bool((top_k > 0).any() or (top_p < 1).any() or (min_p > 0).any())
        self.greedy = bool((temperature <= 0).any())
        self.plain = not self.filters and bool((temperature == 1).all())

    @classmethod
    def of(
        cls,
        rows: int,
        *,
        temperature: ArrayLike = 1.0,
        top_k: ArrayLike = 0,
        top_p: ArrayLike = 1.0,
        min_p: ArrayLike = 0.0,
        rule: Bools | Sequence[FrameRule | None] | None = None,
    ) -> How:
        """The same for all rows, or one value per row where a sequence is given."""

        def column(value: ArrayLike, dtype: type) -> NDArray[Any]:
            return np.broadcast_to(np.asarray(value, dtype), (rows,))

        floats = np.float32
        return cls(column(temperature, floats), column(top_k, int), column(top_p, floats), column(min_p, floats), rule)

    def under(self, rule: Bools | Sequence[FrameRule | None] | None) -> How:
        """The same way to draw, under another rule."""
        other = copy(self)
        other.rule = rule
        return other

    def at(self, temperature: Floats) -> How:
        """The same way to draw, at temperatures (B,) or (T, B) that change from step to step."""
        other = copy(self)
        other.temperature = temperature
        other.greedy = bool((temperature <= 0).any())
        other.plain = False  # whatever the others' temperatures are, a row is drawn by the same arithmetic
        return other

    def step(self, number: int) -> How:
        """The way to draw step `number` of many."""
        return self if self.temperature.ndim == 1 else self.at(self.temperature[number])


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One drawn step per row.

    `steps`: token ids (B,) or frames (B, V) of 0 and 1. `logp` (B,): the log-probability, in nats, that the model
    itself gave the step before any rule or filter. `refused` (B,): the probability mass that the rule took away.
    """

    steps: NDArray[Any]
    logp: Floats
    refused: Floats


def draw_tokens(logits: Floats, how: How, noise: Noise) -> Drawn:
    """Draw one token per row from `logits` (B, V)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    total = weights.sum(axis=1)
    refused = np.zeros(len(logits))
    allowed = how.rule
    if isinstance(allowed, np.ndarray):
        kept = weights * allowed
        left = kept.sum(axis=1)
        refused = np.maximum(1 - left / total, 0)
        # where next to nothing is left, the exponentials of what is may all be zero
        exact = how.plain and left.min() > 1e-20
        chances = kept if exact else _filtered(np.where(allowed, shifted, -np.inf), how)
    else:
        chances = weights if how.plain else _filtered(shifted, how)
    cumulative = np.add.accumulate(chances, axis=1, dtype=np.float64)
    steps = (cumulative > noise.uniform(len(logits), 1) * cumulative[:, -1:]).argmax(axis=1)
    return Drawn(steps, shifted[np.arange(len(logits)), steps] - np.log(total), refused)


def draw_frames(logits: Floats, how: How, noise: Noise) -> Drawn:
    """Draw one frame per row from independent units with `logits` (B, V).

    Top-k keeps the k most likely units, min-p those at least that share of the likeliest; top-p has no meaning here.
    """
    tempered = _sigmoid(logits if how.plain else logits / np.maximum(how.temperature, 1e-6)[:, None])
    rules = [] if how.rule is None or isinstance(how.rule, np.ndarray) else how.rule
    if not how.filters and not any(rules):
        frames = noise.uniform(*logits.shape) < tempered
        return Drawn(frames.astype(np.uint8), frames_logp(logits, frames), np.zeros(len(logits)))
    return _draw_ruled(logits, tempered, how, rules or [None] * len(logits), noise)


def _draw_ruled(logits: Floats, tempered: Floats, how: How, rules: Sequence[FrameRule | None], noise: Noise) -> Drawn:
    """Draw under rules and filters from units whose chances are `tempered` (B, V)."""
    off, on = clamps(rules, logits.shape[1])
    # units are ranked by logit, since at a low temperature many chances round to the same 0 or 1
    rank = np.where(off, -np.inf, np.where(on, np.inf, logits))
    tempered = np.where(off, -1.0, np.where(on, 2.0, tempered))
    if how.filters:
        tempered = np.where(_kept_units(rank, tempered, how) | on, tempered, -1.0)
    frames = noise.uniform(*logits.shape) < tempered
    for row, rule in enumerate(rules):
        if rule is not None:
            frames[row] = obey(frames[row], rank[row], rule)
    chance = _sigmoid(logits)
    refused = 1 - np.prod(np.where(off, 1 - chance, np.where(on, chance, 1)), axis=1)
    return Drawn(frames.astype(np.uint8), frames_logp(logits, frames), refused)


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities, in nats, over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def frames_logp(logits: Floats, frames: NDArray[Any]) -> Floats:
    """Log-probability, in nats, of each frame (..., V) under independent units with `logits`; shape (...)."""
    return np.asarray((np.where(frames > 0, logits, 0) - np.logaddexp(0, logits)).sum(axis=-1))


def mask_array(mask: Mask, size: int) -> Bools:
    """The set `mask` as a boolean array (size,)."""
    packed = np.frombuffer(mask.to_bytes((size + 7) // 8, "little"), np.uint8)
    return np.unpackbits(packed, count=size, bitorder="little").astype(bool)


def clamps(rules: Sequence[FrameRule | None], size: int) -> tuple[Bools, Bools]:
    """The units that each row's rule holds off and on: two boolean arrays (B, size)."""
    empty = np.zeros(size, bool)
    off = [empty if rule is None else mask_array(rule.off, size) for rule in rules]
    on = [empty if rule is None else mask_array(rule.on, size) for rule in rules]
    return np.array(off), np.array(on)


def obey(frame: Bools, rank: Floats, rule: FrameRule) -> Bools:
    """`frame` (V,) with the limits of `rule` kept in their order, then projected.

    Of units that are too many, those of lowest `rank` (V,) are dropped; of those that lack, the highest are added.
    """
    for limit in rule.limits:
        frame = _limited(frame, rank, limit)
    if rule.project is None:
        return frame
    projected = np.zeros_like(frame)
    projected[list(rule.project(tuple(int(unit) for unit in np.flatnonzero(frame))))] = True
    return projected


def _filtered(shifted: Floats, how: How) -> Floats:
    """Unnormalised chances (B, V) after temperature, top-k, top-p and min-p; what the rule forbids is at -inf."""
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    temperature = np.where(how.temperature > 0, how.temperature, 1) if how.greedy else how.temperature
    chances = np.exp(shifted / temperature[:, None])
    if how.filters:
        chances = _truncated(chances, how)
    if how.greedy:
        best = np.zeros_like(chances)
        best[np.arange(len(best)), shifted.argmax(axis=1)] = 1
        chances = np.where(how.temperature[:, None] > 0, chances, best)
    return np.asarray(chances)


def _truncated(chances: Floats, how: How) -> Floats:
    """`chances` with those zero that top-k, top-p or min-p leave out; the likeliest always stays.

    Equal chances are ordered by token id, so that the result is the same everywhere.
    """
    size = chances.shape[1]
    order = np.argsort(-chances, axis=1, kind="stable")
    ranked = np.take_along_axis(chances, order, axis=1)
    keep = np.arange(size) < np.where(how.top_k > 0, how.top_k, size)[:, None]
    ranked = np.where(keep, ranked, 0)
    before = np.cumsum(ranked, axis=1) - ranked
    keep &= before < how.top_p[:, None] * ranked.sum(axis=1, keepdims=True)
    keep &= ranked >= how.min_p[:, None] * ranked[:, :1]
    keep[:, 0] = True
    kept = np.zeros_like(keep)
    np.put_along_axis(kept, order, keep, axis=1)
    return np.where(kept, chances, 0)


def _kept_units(rank: Floats, chance: Floats, how: How) -> Bools:
    place = np.argsort(np.argsort(-rank, axis=1, kind="stable"), axis=1, kind="stable")
    limit = np.where(how.top_k > 0, how.top_k, rank.shape[1])[:, None]
    return np.asarray((place < limit) & (chance >= how.min_p[:, None] * chance.max(axis=1, keepdims=True)))


def _limited(frame: Bools, rank: Floats, limit: Limit) -> Bools:
    units = mask_array(limit.units, len(frame))
    active = np.flatnonzero(frame & units)
    if limit.least <= len(active) <= limit.most:
        return frame
    frame = frame.copy()
    if len(active) > limit.most:
        frame[active[np.argsort(-rank[active], kind="stable")[limit.most :]]] = False
    else:
        idle = np.flatnonzero(units & ~frame & (rank > -np.inf))
        frame[idle[np.argsort(-rank[idle], kind="stable")[: limit.least - len(active)]]] = True
    return frame


def _sigmoid(x: Floats) -> Floats:
    """The logistic function as a scaled tanh, which neither overflows nor needs a branch."""
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)
