"""Neural autoregressive distribution estimator (NADE) in numpy: sample frames whose units depend on each other.

With v the D units of a frame in order, p(v) = prod_i p(v_i | v_<i), and n hidden units

    h_i            = sigmoid(b_h + W_(:,<i) v_<i)
    p(v_i = 1 | .) = sigmoid((b_v)_i + V_(i,:) h_i)

W is (n, D) and V (D, n) (Larochelle and Murray 2011). In a recurrent network, both biases depend on the output u_t for
the steps so far, and all steps share W and V (Boulanger-Lewandowski, Bengio and Vincent 2012):

    b_v(t) = b_v + W_uv u_t        b_h(t) = b_h + W_uh u_t

h changes only after an active unit, so a frame with K active units has K + 1 distinct values of h. Each gives the
probabilities of all units up to the next active one, so sampling takes K + 1 products instead of D.
`composer.toolkit.models.nade_torch` has the same in torch.

Units are sampled in order: in a piano roll from low to high, onsets before holds, and stacked steps one after the
other. The reverse order works equally well: 8.90 nats per frame on JSB instead of 8.93, after 300 updates of a small
network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api.constraint import FrameRule
from composer.api.sampling.filters import (
    BatchSamplingParams,
    Bools,
    Draw,
    Floats,
    Ints,
    StepRNG,
    apply_frame_rule,
    fixed_units,
    frame_log_prob,
    mask_array,
    sigmoid,
)

__all__ = ["NadeSampler", "nade_sampler"]

_F32 = np.float32


class NadeSampler:
    """Exact sampling and log-probabilities of frames; `W` (n, D) and `V` (D, n) are those of NadeDistribution.

    `outputs` (B, D + n) are b_v(t) and b_h(t), concatenated.
    """

    def __init__(self, W: NDArray[Any], V: NDArray[Any]) -> None:
        self.into_h, self.into_v = np.ascontiguousarray(W.T, _F32), np.ascontiguousarray(V.T, _F32)
        self.size = len(self.into_h)

    def draw(self, outputs: Floats, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        """Draw one frame per row, unit by unit, each given those before it, at the row's temperature.

        Rules apply along the way: fixed units are set, the remaining units of an exhausted limit are off, and so are
        those that `project` would remove. If units are missing, the most likely are added at the end. `masked_prob` is
        1 minus the product of the probabilities of all forced values; averaged over frames drawn at temperature 1, it
        is the mass that the rule removes. Min-p turns off units below that probability; top-k and top-p do not apply,
        since later units are not yet known.
        """
        rules = [] if params.rule is None or isinstance(params.rule, np.ndarray) else params.rule
        bounds = _FrameBounds.from_rules(rules if any(rules) else (), _thresholds(params, rng, len(outputs), self.size))
        frames, logits, off = self._sample_units(outputs, bounds)
        if not bounds.rules:
            return Draw(frames.astype(np.uint8), frame_log_prob(logits, frames), np.zeros(len(frames)))
        legal = _repair(frames, logits, off, bounds)
        illegal = (legal != frames).any(axis=1)
        if any(rule is not None and rule.project and changed for rule, changed in zip(rules, illegal, strict=True)):
            frames, logits, off = self._sample_units(outputs, replace(bounds, to_project=illegal))
            legal = _repair(frames, logits, off, bounds)
        logp = frame_log_prob(logits, legal) if (legal == frames).all() else self.log_prob(outputs, legal)
        prob = sigmoid(logits)
        masked = 1 - np.prod(np.where(off, 1 - prob, np.where(bounds.must_be_on, prob, 1)), axis=1)
        return Draw(legal.astype(np.uint8), logp, masked)

    def log_prob(self, outputs: Floats, steps: NDArray[Any]) -> Floats:
        """Return the log-probability (B,) in nats of the frames `steps` (B, D)."""
        on = np.asarray(steps) > 0
        # thresholds that make exactly these units active
        thresholds = np.where(on, -np.inf, np.inf)
        return frame_log_prob(self._sample_units(outputs, _FrameBounds.from_rules((), thresholds))[1], on)

    def _sample_units(self, outputs: Floats, bounds: _FrameBounds) -> tuple[Bools, Floats, Bools]:
        """Return frames, the logit of each unit when it was drawn, and the units forced off, each (B, D).

        A unit is on if its logit is above its threshold. All rows are computed until the last is done, so that rounding
        in a row does not depend on the others.
        """
        bv, a = outputs[:, : self.size], outputs[:, self.size :].copy()
        frames, off, thresholds = np.zeros(bv.shape, bool), bounds.must_be_off.copy(), bounds.thresholds.copy()
        logits, rows, place = np.empty(bv.shape, a.dtype), np.arange(len(bv)), np.arange(self.size)
        ahead, counts = np.ones(bv.shape, bool), bounds.counts.copy()
        _enforce_limits(bounds, counts, ahead, off, thresholds)
        while True:
            unit_logits = sigmoid(a) @ self.into_v
            unit_logits += bv
            np.copyto(logits, unit_logits, where=ahead)
            above = unit_logits > thresholds
            above &= ahead
            unit = above.argmax(axis=1)
            found = above[rows, unit]
            if not found.any():
                return frames, logits, off
            ahead &= place > np.where(found, unit, self.size)[:, None]
            on, at = rows[found], unit[found]
            if bounds.to_project is not None:
                on, at = _allowed_by_projection(frames, on, at, bounds, off)
            frames[on, at] = True
            a[on] += self.into_h[at]
            if len(bounds.limited):
                counts[:, on] += bounds.limited[:, on, at] & ~bounds.must_be_on[on, at]
                _enforce_limits(bounds, counts, ahead, off, thresholds)


def nade_sampler(output: str, weights: Mapping[str, NDArray[Any]]) -> NadeSampler | None:
    """Return the NadeSampler of a network's `weights`, if its `output` is a NADE."""
    return NadeSampler(weights["distribution.W"], weights["distribution.V"]) if output == "nade" else None


@dataclass(frozen=True, slots=True, eq=False)
class _FrameBounds:
    """Rules during sampling: a unit is on if its logit is above its threshold (B, D).

    `must_be_off` and `must_be_on` (B, D) are fixed. At most `max_active` (L, B) of the units `limited` (L, B, D) may be
    on, of which `counts` (L, B) are fixed on. In the rows `to_project` (B,), the rule's projection checks each active
    unit.
    """

    thresholds: Floats
    rules: Sequence[FrameRule | None]
    must_be_off: Bools
    must_be_on: Bools
    limited: Bools
    max_active: Ints
    counts: Ints
    to_project: Bools | None = None

    @classmethod
    def from_rules(cls, rules: Sequence[FrameRule | None], thresholds: Floats) -> _FrameBounds:
        rows, size = thresholds.shape
        if not rules:
            none, no_limits = np.zeros((rows, size), bool), np.zeros((0, rows), int)
            return cls(thresholds, (), none, none, np.zeros((0, rows, size), bool), no_limits, no_limits)
        off, on = fixed_units(rules, size)
        depth = max(len(rule.limits) if rule is not None else 0 for rule in rules)
        limited, max_active = np.zeros((depth, rows, size), bool), np.full((depth, rows), size + 1)
        for row, rule in enumerate(rules):
            for number, limit in enumerate(rule.limits if rule is not None else ()):
                limited[number, row], max_active[number, row] = mask_array(limit.units, size), limit.max_active
        thresholds[off], thresholds[on] = np.inf, -np.inf
        return cls(thresholds, rules, off, on, limited, max_active, (limited & on).sum(axis=2))


def _thresholds(params: BatchSamplingParams, rng: StepRNG, rows: int, size: int) -> Floats:
    """Return the thresholds (B, D) of logits: T logit(uniform), and at least T logit(min-p)."""
    numbers = rng.uniform(rows, size)
    with np.errstate(divide="ignore"):
        thresholds = np.log(numbers / (1 - numbers))
        if params.is_default:
            return thresholds
        minimum = np.log(params.min_p / (1 - params.min_p))
    thresholds = np.maximum(thresholds, minimum[:, None])
    greedy = params.temperature[:, None] <= 0
    return np.where(greedy, 0, np.where(greedy, 1, params.temperature[:, None]) * thresholds)


def _enforce_limits(bounds: _FrameBounds, counts: Ints, ahead: Bools, off: Bools, thresholds: Floats) -> None:
    """Force off the units `ahead` (B, D) of exhausted limits, except those fixed on."""
    reached = counts >= bounds.max_active
    if reached.any():
        over = (bounds.limited & reached[:, :, None]).any(axis=0) & ahead & ~bounds.must_be_on
        off |= over
        thresholds[over] = np.inf


def _allowed_by_projection(frames: Bools, on: Ints, at: Ints, bounds: _FrameBounds, off: Bools) -> tuple[Ints, Ints]:
    """Return those of the units `at` in the rows `on` that projections keep; force the others off."""
    keep = np.ones(len(on), bool)
    for number, (row, unit) in enumerate(zip(on.tolist(), at.tolist(), strict=True)):
        rule = bounds.rules[row]
        if bounds.to_project is None or not bounds.to_project[row] or rule is None or rule.project is None:
            continue
        if unit not in rule.project((*np.flatnonzero(frames[row]).tolist(), unit)):
            keep[number], off[row, unit] = False, True
    return on[keep], at[keep]


def _repair(frames: Bools, logits: Floats, off: Bools, bounds: _FrameBounds) -> Bools:
    """Return `frames` with missing units added, and projected."""
    rank = np.where(off, -np.inf, np.where(bounds.must_be_on, np.inf, logits))
    rows = zip(frames, rank, bounds.rules, strict=True)
    return np.array([frame if rule is None else apply_frame_rule(frame, order, rule) for frame, order, rule in rows])
