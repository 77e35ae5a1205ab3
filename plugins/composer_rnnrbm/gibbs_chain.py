"""Random numbers, rules and temperature of Gibbs chains for generation, in numpy; `rbm.py` has the same in torch.

A Gibbs step from v to v' is reversible with respect to q(v), the distribution of v at the temperature of the half-steps
t = max(T, 1). If it is rejected, so that the chain stays at v, with probability 1 - min(1, w(v') / w(v)), where

    log w(v) = log p(v)^(1/T) - log q(v) = bv v (1/T - 1/t) + sum_j [softplus(x_j) / T - softplus(x_j / t)]

up to a constant, with x = bh + W v, then the chain samples p(v)^(1/T) (Metropolis and Hastings; it is exact for long
chains, apart from rules that change a frame). At temperature 1 no step is rejected. Top-k, top-p and min-p choose among
the distinct frames of the second half of the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composer.api import FrameRule
from composer.api.sampling.filters import BatchSamplingParams, Bools, Floats, StepRNG, apply_frame_rule, fixed_units
from composer.api.sampling.joint_frames import LOWEST_TEMPERATURE
from composer.api.sampling.rng import FIXED_RNG, logistic


@dataclass(frozen=True, slots=True, eq=False)
class GibbsChain:
    """Thresholds for the chains of B rows: a unit is on if its input (W v or h W) is above its threshold.

    A unit with logit x is on with probability sigmoid(x / t), that is if x > t logit(uniform). So biases, temperature,
    random numbers and rules (never on or always on) combine into one threshold, computed for all half-steps at once.
    Greedy rows have the same random numbers for all seeds, and climb to a local maximum. If temperature applies to each
    unit, t is T and no step is rejected: then the chain samples p(v, h)^(1/T).

    `hidden` (k, B, H) and `visible` (k - 1, B, V); `draw_frames` draws the last frame. `fixed` are the units (B, V)
    that rules force off and on. `bias` (B, V), added to h W, ranks the units when a rule changes a frame; those forced
    on come first.
    """

    hidden: Floats
    visible: Floats
    bias: Floats
    rules: Sequence[FrameRule | None] = ()
    fixed: tuple[Bools, Bools] | None = None

    @classmethod
    def from_biases(cls, bv: Floats, bh: Floats, params: BatchSamplingParams, rng: StepRNG, k: int) -> GibbsChain:
        """Return chains of `k` steps for the biases `bv` (B, V) and `bh` (B, H)."""
        (rows, units), size = bh.shape, bv.shape[1]
        split = k * units
        thresholds = logistic(rng, rows, split + (k - 1) * size)
        if not params.is_default:
            if not params.per_unit and params.is_greedy.any():
                thresholds[params.is_greedy] = logistic(FIXED_RNG, 1, thresholds.shape[1])
            thresholds *= proposal_temperature(params)[:, None]
        hidden = thresholds[:, :split].reshape(rows, k, units).swapaxes(0, 1) - bh
        visible = thresholds[:, split:].reshape(rows, k - 1, size).swapaxes(0, 1) - bv
        if params.rule is None or isinstance(params.rule, np.ndarray):
            return cls(hidden, visible, bv)
        off, on = fixed_units(params.rule, size)
        visible[:, off], visible[:, on] = np.inf, -np.inf
        has_repairs = any(rule is not None and (rule.limits or rule.project) for rule in params.rule)
        bias = bv.copy()
        bias[off], bias[on] = -np.inf, np.inf
        return cls(hidden, visible, bias, params.rule if has_repairs else (), (off, on))

    def clamp(self, v: Floats) -> Floats:
        """Return a copy of the frames `v` (B, V) with fixed units set."""
        v = v.copy()
        if self.fixed is not None:
            off, on = self.fixed
            v[off], v[on] = 0, 1
        return v

    def apply_rules(self, frames: Bools, fields: Floats) -> Bools:
        """Return `frames` (B, V), drawn from h W = `fields` (B, V), with the rules enforced.

        If too many units are active, those of lowest rank are turned off.
        """
        rows = zip(frames, fields + self.bias, self.rules, strict=True)
        return np.array([frame if rule is None else apply_frame_rule(frame, rank, rule) for frame, rank, rule in rows])


def proposal_temperature(params: BatchSamplingParams) -> Floats:
    """Return the temperature t (B,) of the half-steps."""
    return params.temperature if params.per_unit else np.maximum(params.temperature, 1)


class LogWeight:
    """Log w(v) of frames, and their log p(v) up to a constant; numpy call overhead is most of the time."""

    def __init__(self, bv: Floats, bh: Floats, params: BatchSamplingParams) -> None:
        low = np.maximum(params.temperature, LOWEST_TEMPERATURE)
        target = 1 / np.where(params.is_greedy, np.float32(LOWEST_TEMPERATURE), low)
        proposal = proposal_temperature(params)
        self._bv, self._bh, self._target, self._slope = bv, bh, target, target - 1 / proposal
        self._proposal = None if (proposal == 1).all() else proposal[:, None]

    def __call__(self, v: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Return log w(v) and log p(v) + log Z, each (B,), of frames v (B, V) with x = W v (B, H)."""
        x = x + self._bh
        visible, hidden = (v * self._bv).sum(axis=1), _softplus_sum(x)
        tempered = hidden if self._proposal is None else _softplus_sum(x / self._proposal)
        return visible * self._slope + hidden * self._target - tempered, visible + hidden


def _softplus_sum(x: Floats) -> Floats:
    """Return the sum of log(1 + exp(x)) over the last axis."""
    terms = np.abs(x)
    np.negative(terms, out=terms)
    np.exp(terms, out=terms)
    terms += 1
    np.log(terms, out=terms)
    terms += np.maximum(x, 0)
    return np.asarray(terms.sum(axis=1))


class DrawnNumbers:
    """Numbers that were drawn before they are used."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    def uniform(self, rows: int, n: int) -> Any:
        return self._numbers


def accept_numbers(params: BatchSamplingParams, rng: StepRNG, k: int) -> Floats:
    """Return the logs of uniform numbers (B, k): a step is accepted if its number is below the log of w(v') / w(v)."""
    numbers = rng.uniform(len(params.temperature), k)
    if params.is_greedy.any():
        numbers = np.where(params.is_greedy[:, None], 0.5, numbers)
    return np.asarray(np.log(np.maximum(numbers, 1e-300)))


def half_step(params: BatchSamplingParams) -> BatchSamplingParams:
    """Return the parameters of the last half-step: without filters, at the temperature of the others."""
    temperature = np.where(params.is_greedy, 0, proposal_temperature(params))
    return BatchSamplingParams.for_rows(len(temperature), temperature=temperature, rule=params.rule)
