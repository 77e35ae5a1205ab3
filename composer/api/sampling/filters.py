"""Sample the next step from a model's outputs, in numpy: mask, temperature, top-k, top-p and min-p, in this order.

For frames, they apply to the probabilities of whole frames, not of single units (see `joint_frames`). `torch_filters`
has the same functions in torch; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from composer.api.constraint import FrameRule, Limit, Mask
from composer.api.sampling.joint_frames import (
    CANDIDATES,
    LOWEST_TEMPERATURE,
    Truncation,
    candidate_keys,
    first_occurrences,
    gumbel,
)
from composer.api.sampling.params import SamplingParams
from composer.api.sampling.rng import CounterRNG, Floats, Ints, RNGStream, StepRNG

__all__ = [
    "BatchSamplingParams",
    "Bools",
    "CounterRNG",
    "Draw",
    "Floats",
    "Ints",
    "RNGStream",
    "StepRNG",
    "apply_frame_rule",
    "draw_frames",
    "draw_tokens",
    "fixed_units",
    "frame_log_prob",
    "log_softmax",
    "mask_array",
    "sigmoid",
]

Bools = NDArray[np.bool_]


class BatchSamplingParams:
    """Sampling parameters, one entry per row: arrays of shape (B,).

    For many steps at a time (see `composer.api.sampler.BlockSampler`), `temperature` may also be (T, B), one row per
    step. `temperature` 0 is greedy; `top_k` 0, `top_p` 1 and `min_p` 0 are off. `rule` is None (everything is allowed),
    a boolean array (B, V) of allowed tokens, or one FrameRule or None per row. With `per_unit`, temperature and filters
    apply to each unit of a frame, as in pieces that were recorded before they applied to whole frames. Immutable: use
    `with_mask` and `with_temperature`.
    """

    __slots__ = (
        "any_greedy", "has_filters", "is_default", "min_p", "per_unit", "rule", "temperature", "top_k", "top_p",
    )  # fmt: skip

    def __init__(
        self,
        temperature: Floats,
        top_k: Ints,
        top_p: Floats,
        min_p: Floats,
        rule: Bools | Sequence[FrameRule | None] | None = None,
        per_unit: bool = False,
    ) -> None:
        self.temperature, self.top_k, self.top_p, self.min_p, self.rule = temperature, top_k, top_p, min_p, rule
        self.per_unit = per_unit
        # computed once, since every step needs them
        self.has_filters = bool((top_k > 0).any() or (top_p < 1).any() or (min_p > 0).any())
        self.any_greedy = bool((temperature <= 0).any())
        self.is_default = not self.has_filters and bool((temperature == 1).all())

    @classmethod
    def for_rows(
        cls,
        rows: int,
        *,
        temperature: ArrayLike = 1.0,
        top_k: ArrayLike = 0,
        top_p: ArrayLike = 1.0,
        min_p: ArrayLike = 0.0,
        rule: Bools | Sequence[FrameRule | None] | None = None,
        per_unit: bool = False,
    ) -> BatchSamplingParams:
        """Return parameters for `rows` rows, from one value for all rows or a sequence of one per row."""

        def column(value: ArrayLike, dtype: type) -> NDArray[Any]:
            return np.broadcast_to(np.asarray(value, dtype), (rows,))

        floats = np.float32
        filters = column(top_k, int), column(top_p, floats), column(min_p, floats)
        return cls(column(temperature, floats), *filters, rule, per_unit)

    @classmethod
    def from_params(cls, params: SamplingParams, rows: int) -> BatchSamplingParams:
        """Return the parameters of a run for `rows` rows; a ramp begins with its first temperature."""
        params = params.with_default_temperature(1.0)
        values = {field.name: getattr(params, field.name) for field in fields(params)}
        return cls.for_rows(rows, **{**values, "temperature": params.ramp.first if params.ramp else params.temperature})

    def with_mask(self, rule: Bools | Sequence[FrameRule | None] | None) -> BatchSamplingParams:
        """Return a copy with `rule` as its mask."""
        other = copy(self)
        other.rule = rule
        return other

    def with_temperature(self, temperature: Floats) -> BatchSamplingParams:
        """Return a copy with `temperature`, (B,) or (T, B)."""
        other = copy(self)
        other.temperature = temperature
        other.any_greedy = bool((temperature <= 0).any())
        other.is_default = False  # so that the arithmetic of a row does not depend on the other rows
        return other

    def at_step(self, step: int) -> BatchSamplingParams:
        """Return the parameters of one `step`."""
        return self if self.temperature.ndim == 1 else self.with_temperature(self.temperature[step])

    @property
    def has_filter(self) -> Bools:
        """Return whether each row (B,) has a filter."""
        return np.asarray((self.top_k > 0) | (self.top_p < 1) | (self.min_p > 0))

    @property
    def truncation(self) -> Truncation:
        """Return the filters of all rows."""
        return Truncation(self.top_k, self.top_p, self.min_p)

    @property
    def is_greedy(self) -> Bools:
        """Return whether each row (B,) gets what is most likely: at temperature 0, or as the only one that is kept."""
        return np.asarray((self.temperature <= 0) | (self.top_k == 1))


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One drawn step per row.

    `steps`: token ids (B,) or frames (B, V) of 0 and 1. `logp` (B,): log-probability of the step in nats, before rules
    and filters. `masked_prob` (B,): probability mass that the rule removed.
    """

    steps: NDArray[Any]
    logp: Floats
    masked_prob: Floats


def draw_tokens(logits: Floats, params: BatchSamplingParams, rng: StepRNG) -> Draw:
    """Draw one token per row from `logits` (B, V)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    total = weights.sum(axis=1)
    masked = np.zeros(len(logits))
    allowed = params.rule
    if isinstance(allowed, np.ndarray):
        unmasked = weights * allowed
        remaining = unmasked.sum(axis=1)
        masked = np.maximum(1 - remaining / total, 0)
        # if almost nothing is left, all exponentials may have underflowed
        exact = params.is_default and remaining.min() > 1e-20
        probs = unmasked if exact else _filter(np.where(allowed, shifted, -np.inf), params)
    else:
        probs = weights if params.is_default else _filter(shifted, params)
    cumulative = np.add.accumulate(probs, axis=1, dtype=np.float64)
    steps = (cumulative > rng.uniform(len(logits), 1) * cumulative[:, -1:]).argmax(axis=1)
    return Draw(steps, shifted[np.arange(len(logits)), steps] - np.log(total), masked)


def draw_frames(logits: Floats, params: BatchSamplingParams, rng: StepRNG) -> Draw:
    """Draw one frame per row from independent units with `logits` (B, V).

    Units at temperature T are a frame at temperature T, since p(frame)^(1/T) is the product over its units. With top-k,
    top-p or min-p, the frame is one of several candidates (see `joint_frames`), of which the likeliest of all is one.
    Candidates that break a rule are repaired only if all do.
    """
    tempered = sigmoid(
        logits if params.is_default else logits / np.maximum(params.temperature, LOWEST_TEMPERATURE)[:, None]
    )
    rules = [] if params.rule is None or isinstance(params.rule, np.ndarray) else params.rule
    if not params.has_filters and not any(rules):
        frames = rng.uniform(*logits.shape) < tempered
        return Draw(frames.astype(np.uint8), frame_log_prob(logits, frames), np.zeros(len(logits)))
    return _draw_constrained(logits, tempered, params, rules or [None] * len(logits), rng)


def _draw_constrained(
    logits: Floats, tempered: Floats, params: BatchSamplingParams, rules: Sequence[FrameRule | None], rng: StepRNG
) -> Draw:
    """Draw with rules and filters from units with probabilities `tempered` (B, V)."""
    off, on = fixed_units(rules, logits.shape[1])
    # rank by logit, since at low temperatures many probabilities round to 0 or 1
    rank = np.where(off, -np.inf, np.where(on, np.inf, logits))
    tempered = np.where(off, -1.0, np.where(on, 2.0, tempered))
    joint = params.has_filters and not params.per_unit
    if params.has_filters and params.per_unit:
        tempered = np.where(_kept_units(rank, tempered, params) | on, tempered, -1.0)
    numbers = rng.uniform(*logits.shape)
    frames = _repaired((numbers < tempered)[:, None], rank, rules)[:, 0]
    if joint:
        filtered = _draw_filtered(numbers < tempered, tempered, rank, params, rules, rng)
        frames = np.where(params.has_filter[:, None], filtered, frames)
    prob = sigmoid(logits)
    masked = 1 - np.prod(np.where(off, 1 - prob, np.where(on, prob, 1)), axis=1)
    return Draw(frames.astype(np.uint8), frame_log_prob(logits, frames), masked)


def _draw_filtered(
    drawn: Bools,
    tempered: Floats,
    rank: Floats,
    params: BatchSamplingParams,
    rules: Sequence[FrameRule | None],
    rng: StepRNG,
) -> Bools:
    """Return one of several candidates per row: the likeliest frame, the frames `drawn` (B, V) and others.

    `rank` (B, V) are logits, infinite for fixed units, of which the probabilities `tempered` are below 0 or above 1.
    """
    rows, size = drawn.shape
    others = rng.uniform(rows, (CANDIDATES - 2) * size).reshape(rows, -1, size) < tempered[:, None]
    frames = np.concatenate([(rank > 0)[:, None], drawn[:, None], others], axis=1)
    repaired = _repaired(frames, rank, rules)
    valid = (repaired == frames).all(axis=2)
    valid = (valid | ~valid.any(axis=1, keepdims=True)) & first_occurrences(frames)
    logits = np.clip(rank, -1e9, 1e9)  # so that fixed units have the factor 1
    logp = frame_log_prob(logits[:, None], frames)
    logq = frame_log_prob((logits / np.maximum(params.temperature, LOWEST_TEMPERATURE)[:, None])[:, None], frames)
    temperature = np.where(params.is_greedy, 0, params.temperature)
    noise = gumbel(rng.uniform(rows, CANDIDATES))
    keys = candidate_keys(logp, logq, valid, temperature, params.truncation, noise)
    return np.asarray(repaired[np.arange(rows), keys.argmax(axis=1)])


def _repaired(frames: Bools, rank: Floats, rules: Sequence[FrameRule | None]) -> Bools:
    """Return the frames (B, M, V) with each row's rule applied."""
    repaired = frames.copy()
    for row, rule in enumerate(rules):
        if rule is not None:
            repaired[row] = [apply_frame_rule(frame, rank[row], rule) for frame in frames[row]]
    return repaired


def log_softmax(logits: Floats) -> Floats:
    """Return log-probabilities in nats over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def frame_log_prob(logits: Floats, frames: NDArray[Any]) -> Floats:
    """Return the log-probability (...) in nats of frames (..., V) with independent units of `logits`."""
    return np.asarray((np.where(frames > 0, logits, 0) - np.logaddexp(0, logits)).sum(axis=-1))


def mask_array(mask: Mask, size: int) -> Bools:
    """Return the bit set `mask` as a boolean array (size,)."""
    packed = np.frombuffer(mask.to_bytes((size + 7) // 8, "little"), np.uint8)
    return np.unpackbits(packed, count=size, bitorder="little").astype(bool)


def fixed_units(rules: Sequence[FrameRule | None], size: int) -> tuple[Bools, Bools]:
    """Return the units that each row's rule forces off and on: two boolean arrays (B, size)."""
    empty = np.zeros(size, bool)
    off = [empty if rule is None else mask_array(rule.must_be_off, size) for rule in rules]
    on = [empty if rule is None else mask_array(rule.must_be_on, size) for rule in rules]
    return np.array(off), np.array(on)


def apply_frame_rule(frame: Bools, rank: Floats, rule: FrameRule) -> Bools:
    """Return `frame` (V,) with the limits of `rule` enforced in their order, then projected.

    Excess units of lowest `rank` (V,) are turned off; missing ones of highest rank are turned on.
    """
    for limit in rule.limits:
        frame = _apply_limit(frame, rank, limit)
    if rule.project is None:
        return frame
    projected = np.zeros_like(frame)
    projected[list(rule.project(tuple(int(unit) for unit in np.flatnonzero(frame))))] = True
    return projected


def _filter(shifted: Floats, params: BatchSamplingParams) -> Floats:
    """Return unnormalized probabilities (B, V) after temperature, top-k, top-p and min-p; masked tokens are at -inf."""
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    temperature = np.where(params.temperature > 0, params.temperature, 1) if params.any_greedy else params.temperature
    probs = np.exp(shifted / temperature[:, None])
    if params.has_filters:
        probs = np.where(params.truncation.keep(probs, probs), probs, 0)
    if params.any_greedy:
        best = np.zeros_like(probs)
        best[np.arange(len(best)), shifted.argmax(axis=1)] = 1
        probs = np.where(params.temperature[:, None] > 0, probs, best)
    return np.asarray(probs)


def _kept_units(rank: Floats, prob: Floats, params: BatchSamplingParams) -> Bools:
    place = np.argsort(np.argsort(-rank, axis=1, kind="stable"), axis=1, kind="stable")
    limit = np.where(params.top_k > 0, params.top_k, rank.shape[1])[:, None]
    return np.asarray((place < limit) & (prob >= params.min_p[:, None] * prob.max(axis=1, keepdims=True)))


def _apply_limit(frame: Bools, rank: Floats, limit: Limit) -> Bools:
    units = mask_array(limit.units, len(frame))
    active = np.flatnonzero(frame & units)
    if limit.min_active <= len(active) <= limit.max_active:
        return frame
    frame = frame.copy()
    if len(active) > limit.max_active:
        frame[active[np.argsort(-rank[active], kind="stable")[limit.max_active :]]] = False
    else:
        idle = np.flatnonzero(units & ~frame & (rank > -np.inf))
        frame[idle[np.argsort(-rank[idle], kind="stable")[: limit.min_active - len(active)]]] = True
    return frame


def sigmoid(x: Floats) -> Floats:
    """Logistic function as a scaled tanh, which neither overflows nor branches."""
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)
