"""The random numbers and rules of Gibbs chains that are played, in numpy. `rbm.py` has the thresholds in torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composer.api import FrameRule
from composer.api.sampling.filters import Bools, Floats, SamplingParams, StepRNG, apply_frame_rule, fixed_units

SMALLEST = np.float32(2.0**-24)
"""Uniform numbers are kept so far from 0 and 1, that their logits are finite in fp32."""


@dataclass(frozen=True, slots=True, eq=False)
class GibbsChain:
    """How the chains of B rows go: a hidden unit is on where h W v is above its threshold, and so for visible ones.

    A unit of logit x is on with chance sigmoid(x / T), which is where x > T logit(uniform); so biases, temperature,
    random numbers and rules (units held off: never, on: always) are all one threshold, made for all half-steps at
    once. With temperature T, the chain draws from p(v, h)^(1/T); with 0, it climbs to a state that no unit would leave.

    `hidden` (k, B, H) and `visible` (k - 1, B, V): the last frame is left to `draw_frames`. `held` are the units (B, V)
    that rules hold off and on. `bias` (B, V), added to h W, ranks the units of a frame that is to be mended: those that
    are held on come first.
    """

    hidden: Floats
    visible: Floats
    bias: Floats
    rules: Sequence[FrameRule | None] = ()
    held: tuple[Bools, Bools] | None = None

    @classmethod
    def from_biases(cls, bv: Floats, bh: Floats, params: SamplingParams, rng: StepRNG, k: int) -> GibbsChain:
        """Chains of `k` steps with the biases `bv` (B, V) and `bh` (B, H)."""
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
        mends = any(rule is not None and (rule.limits or rule.project) for rule in params.rule)
        bias = bv.copy()
        bias[off], bias[on] = -np.inf, np.inf
        return cls(hidden, visible, bias, params.rule if mends else (), (off, on))

    def clamp(self, v: Floats) -> Floats:
        """A copy of the frames `v` (B, V) with the units that are held as they are to be."""
        v = v.copy()
        if self.held is not None:
            off, on = self.held
            v[off], v[on] = 0, 1
        return v

    def apply_rules(self, frames: Bools, fields: Floats) -> Bools:
        """`frames` (B, V) made legal, that were drawn from h W = `fields` (B, V).

        Where a limit is passed, the units of lowest rank are dropped.
        """
        rows = zip(frames, fields + self.bias, self.rules, strict=True)
        return np.array([frame if rule is None else apply_frame_rule(frame, rank, rule) for frame, rank, rule in rows])


def _logistic(rng: StepRNG, rows: int, n: int) -> Floats:
    """Logits of uniform numbers, (rows, n). A number of the noise has bits for two."""
    scaled = rng.uniform(rows, (n + 1) // 2) * 2.0**26
    upper = np.floor(scaled)
    scaled -= upper
    upper *= 2.0**-26
    both = np.concatenate([upper, scaled], axis=1, dtype=np.float32, casting="same_kind")[:, :n]
    np.clip(both, SMALLEST, 1 - SMALLEST, out=both)
    both /= 1 - both
    return np.log(both, out=both)
