"""Random numbers and rules of Gibbs chains for generation, in numpy. `rbm.py` computes the thresholds in torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composer.api import FrameRule
from composer.api.sampling.filters import BatchSamplingParams, Bools, Floats, StepRNG, apply_frame_rule, fixed_units

SMALLEST = np.float32(2.0**-24)
"""Minimum distance of uniform numbers from 0 and 1, so that their logits are finite in fp32."""


@dataclass(frozen=True, slots=True, eq=False)
class GibbsChain:
    """Thresholds for the chains of B rows: a unit is on if its input (W v or h W) is above its threshold.

    A unit with logit x is on with probability sigmoid(x / T), that is if x > T logit(uniform). So biases, temperature,
    random numbers and rules (never on or always on) combine into one threshold, computed for all half-steps at once.
    At temperature T the chain samples p(v, h)^(1/T); at 0 it climbs to a local maximum.

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
        thresholds = _logistic(rng, rows, split + (k - 1) * size)
        if not params.is_default:
            thresholds *= params.temperature[:, None]
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


def _logistic(rng: StepRNG, rows: int, n: int) -> Floats:
    """Return logits of uniform numbers, (rows, n). Each number of `rng` has enough bits for two."""
    scaled = rng.uniform(rows, (n + 1) // 2) * 2.0**26
    upper = np.floor(scaled)
    scaled -= upper
    upper *= 2.0**-26
    both = np.concatenate([upper, scaled], axis=1, dtype=np.float32, casting="same_kind")[:, :n]
    np.clip(both, SMALLEST, 1 - SMALLEST, out=both)
    both /= 1 - both
    return np.log(both, out=both)
