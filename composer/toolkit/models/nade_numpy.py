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
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api.constraint import FrameRule
from composer.api.sampling.filters import (
    BatchSamplingParams,
    Bools,
    Draw,
    Floats,
    StepRNG,
    apply_frame_rule,
    frame_log_prob,
    sigmoid,
)
from composer.api.sampling.joint_frames import CANDIDATES, candidate_keys, first_occurrences, gumbel
from composer.api.sampling.rng import FIXED_RNG, logistic
from composer.toolkit.models.frame_bounds import FrameBounds

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
        """Draw one frame per row, unit by unit, each given those before it; jointly if `params` are not the defaults.

        A row with units that are fixed on and others that are free is drawn jointly too, since the free units that come
        first would not know of the fixed ones. Rules apply along the way: fixed units are set, the remaining units of
        an exhausted limit are off, and so are those that `project` would remove. If units are missing, the most likely
        are added at the end. `masked_prob` is 1 minus the product of the probabilities of all forced values, of the
        frame or as a mean over the candidates of a joint draw. Averaged over draws at temperature 1, it is the mass
        that the rule removes.
        """
        rules = [] if params.rule is None or isinstance(params.rule, np.ndarray) else params.rule
        rules = rules if any(rules) else ()
        numbers = rng.uniform(len(outputs), self.size)
        if params.per_unit:
            return self._draw_by_unit(outputs, params, rules, numbers)
        is_default = (params.temperature == 1) & ~params.has_filter & ~_partly_fixed(rules, len(outputs), self.size)
        if is_default.all():
            return self._draw_by_unit(outputs, params, rules, numbers)
        joint = self._draw_jointly(outputs, params, rules, numbers, rng)
        if not is_default.any():
            return joint
        by_unit = self._draw_by_unit(outputs, params, rules, numbers)
        steps = np.where(is_default[:, None], by_unit.steps, joint.steps)
        return Draw(
            steps,
            np.where(is_default, by_unit.logp, joint.logp),
            np.where(is_default, by_unit.masked_prob, joint.masked_prob),
        )

    def _draw_by_unit(
        self, outputs: Floats, params: BatchSamplingParams, rules: Sequence[FrameRule | None], numbers: Floats
    ) -> Draw:
        """Draw with the temperature and min-p of `params` for each unit, from uniform `numbers` (B, D)."""
        bounds = FrameBounds.from_rules(rules, _thresholds(params, numbers))
        frames, logits, off, _ = self._sample_units(outputs, bounds)
        if not bounds.rules:
            return Draw(frames.astype(np.uint8), frame_log_prob(logits, frames), np.zeros(len(frames)))
        legal = bounds.repaired(frames, bounds.rank(logits, off))
        illegal = (legal != frames).any(axis=1)
        if any(rule is not None and rule.project and changed for rule, changed in zip(rules, illegal, strict=True)):
            frames, logits, off, _ = self._sample_units(outputs, replace(bounds, to_project=illegal))
            legal = bounds.repaired(frames, bounds.rank(logits, off))
        return self._as_draw(outputs, legal, frames, logits, off, bounds.must_be_on)

    def _draw_jointly(
        self,
        outputs: Floats,
        params: BatchSamplingParams,
        rules: Sequence[FrameRule | None],
        numbers: Floats,
        rng: StepRNG,
    ) -> Draw:
        """Draw one of several candidate frames per row (see `composer.api.sampling.joint_frames`).

        A candidate that would have to be changed at the end is drawn only if all others would too. `numbers` (B, D) are
        uniform. The candidates of greedy rows are always the same. At temperatures above 1, where many units would be
        on, candidates are drawn given the limits: else those that come first would fill them.
        """
        rows, proposal = len(outputs), np.maximum(params.temperature, 1)
        one_row = FrameBounds.from_rules(rules, np.zeros((rows, self.size), np.float32))
        thresholds = _candidate_thresholds(params.is_greedy, numbers, rng) * proposal[:, None, None]
        bounds = replace(one_row.for_candidates(thresholds), temperature=_given_limits(rules, proposal))
        frames, logits, off, lowered = self._sample_units(outputs, bounds)
        logp, logq = _log_probs(frames, logits, lowered, off | bounds.must_be_on, np.repeat(proposal, CANDIDATES))

        def by_row(values: NDArray[Any]) -> NDArray[Any]:
            return values.reshape(rows, CANDIDATES, *values.shape[1:])

        enough = by_row(bounds.has_enough(frames))
        valid = first_occurrences(by_row(frames))
        valid &= enough | ~(valid & enough).any(axis=1, keepdims=True)
        temperature = np.where(params.is_greedy, 0, params.temperature)
        truncation, noise = params.truncation if params.has_filters else None, gumbel(rng.uniform(rows, CANDIDATES))
        keys = candidate_keys(by_row(logp), by_row(logq), valid, temperature, truncation, noise)
        picked = np.arange(rows) * CANDIDATES + keys.argmax(axis=1)
        if not rules:
            frames, logits = frames[picked], logits[picked]
            return Draw(frames.astype(np.uint8), frame_log_prob(logits, frames), np.zeros(rows))
        legal, rank = np.empty((rows, self.size), bool), bounds.rank(logits, off)
        for row, rule in enumerate(rules):
            own = slice(row * CANDIDATES, (row + 1) * CANDIDATES)
            number, legal[row] = _first_legal(frames[own], rank[own], keys[row], rule)
            picked[row] = own.start + number
        draw = self._as_draw(outputs, legal, frames[picked], logits[picked], off[picked], one_row.must_be_on)
        # a mean over candidates, since the picked one is likely to fit the rule; the first is greedy, not a draw
        left = (by_row(_mass_left(logits, off, bounds.must_be_on)) * enough)[:, 1:].mean(axis=1)
        # a frame that had to be repaired has the mass that it alone has
        return replace(draw, masked_prob=1 - np.where(left > 0, left, np.exp(draw.logp)))

    def _as_draw(
        self, outputs: Floats, legal: Bools, frames: Bools, logits: Floats, off: Bools, must_be_on: Bools
    ) -> Draw:
        """Return the draw of the `legal` frames (B, D), sampled as `frames` from `logits`, with units forced `off`."""
        logp = frame_log_prob(logits, legal) if (legal == frames).all() else self.log_prob(outputs, legal)
        return Draw(legal.astype(np.uint8), logp, 1 - _mass_left(logits, off, must_be_on))

    def log_prob(self, outputs: Floats, steps: NDArray[Any]) -> Floats:
        """Return the log-probability (B,) in nats of the frames `steps` (B, D)."""
        on = np.asarray(steps) > 0
        # thresholds that make exactly these units active
        thresholds = np.where(on, -np.inf, np.inf)
        return frame_log_prob(self._sample_units(outputs, FrameBounds.from_rules((), thresholds))[1], on)

    def _sample_units(self, outputs: Floats, bounds: FrameBounds) -> tuple[Bools, Floats, Bools, Floats | None]:
        """Return frames, the logit of each unit when it was drawn, the units forced off, and `FrameBounds.lowered_by`.

        Each is (N, D).

        A unit is on if its logit is above its threshold. All rows are computed until the last is done, so that rounding
        in a row does not depend on the others. `bounds` have N / B candidates for each row of `outputs`, which begin
        alike.
        """
        times = len(bounds.thresholds) // len(outputs)
        bv, a = outputs[:, : self.size], outputs[:, self.size :]
        unit_logits: Floats = sigmoid(a) @ self.into_v
        unit_logits += bv
        bv, a, unit_logits = (np.repeat(each, times, axis=0) for each in (bv, a, unit_logits))
        frames, off, thresholds = np.zeros(bv.shape, bool), bounds.must_be_off.copy(), bounds.thresholds.copy()
        logits, rows, place = np.empty(bv.shape, a.dtype), np.arange(len(bv)), np.arange(self.size)
        ahead, counts = np.ones(bv.shape, bool), bounds.counts.copy()
        bounds.enforce_limits(counts, ahead, off, thresholds)
        all_lowered: Floats | None = None
        while True:
            np.copyto(logits, unit_logits, where=ahead)
            lowered = bounds.lowered_by(unit_logits, counts, off)
            if lowered is None or bounds.temperature is None:
                above = unit_logits > thresholds
            else:
                all_lowered = lowered if all_lowered is None else np.where(ahead, lowered, all_lowered)
                above = unit_logits > thresholds + bounds.temperature[:, None] * lowered
            above &= ahead
            unit = above.argmax(axis=1)
            found = above[rows, unit]
            if not found.any():
                return frames, logits, off, all_lowered
            ahead &= place > np.where(found, unit, self.size)[:, None]
            on, at = rows[found], unit[found]
            if bounds.to_project is not None:
                on, at = bounds.allowed_by_projection(frames, on, at, off)
            frames[on, at] = True
            a[on] += self.into_h[at]
            if len(bounds.limited):
                counts[:, on] += bounds.limited[:, on, at] & ~bounds.must_be_on[on, at]
                bounds.enforce_limits(counts, ahead, off, thresholds)
            unit_logits = sigmoid(a) @ self.into_v
            unit_logits += bv


def nade_sampler(output: str, weights: Mapping[str, NDArray[Any]]) -> NadeSampler | None:
    """Return the NadeSampler of a network's `weights`, if its `output` is a NADE."""
    return NadeSampler(weights["distribution.W"], weights["distribution.V"]) if output == "nade" else None


def _partly_fixed(rules: Sequence[FrameRule | None], rows: int, size: int) -> Bools:
    """Return in which rows (B,) the rule forces units on and leaves others free."""
    if not rules:
        return np.zeros(rows, bool)
    every = (1 << size) - 1
    return np.array(
        [rule is not None and rule.must_be_on != 0 and rule.must_be_on | rule.must_be_off != every for rule in rules]
    )


def _mass_left(logits: Floats, off: Bools, on: Bools) -> Floats:
    """Return the product (N,) of the probabilities of the values that are forced off or on, by `logits` (N, D)."""
    prob = sigmoid(logits)
    return np.asarray(np.prod(np.where(off, 1 - prob, np.where(on, prob, 1)), axis=1))


def _thresholds(params: BatchSamplingParams, numbers: Floats) -> Floats:
    """Return the thresholds (B, D) of logits: T logit(uniform `numbers`), and at least T logit(min-p)."""
    with np.errstate(divide="ignore"):
        thresholds = np.log(numbers / (1 - numbers))
        if params.is_default:
            return thresholds
        minimum = np.log(params.min_p / (1 - params.min_p))
    thresholds = np.maximum(thresholds, minimum[:, None])
    greedy = params.temperature[:, None] <= 0
    return np.where(greedy, 0, np.where(greedy, 1, params.temperature[:, None]) * thresholds)


def _candidate_thresholds(is_greedy: Bools, numbers: Floats, rng: StepRNG) -> Floats:
    """Return the thresholds (B, M, D) of candidates at temperature 1: the greedy one, that of `numbers`, and others."""
    rows, size = numbers.shape
    others = logistic(rng, rows, (CANDIDATES - 2) * size)
    if is_greedy.any():
        others[is_greedy] = logistic(FIXED_RNG, 1, others.shape[1])
    thresholds = np.zeros((rows, CANDIDATES, size), np.float32)
    with np.errstate(divide="ignore"):
        thresholds[:, 1] = np.where(is_greedy[:, None], 0, np.log(numbers / (1 - numbers)))
    thresholds[:, 2:] = others.reshape(rows, -1, size)
    return thresholds


def _given_limits(rules: Sequence[FrameRule | None], temperature: Floats) -> Floats | None:
    """Return the `temperature` (B,) of the candidates of each row, 1 in rows whose limits are met in order.

    None if there are only such rows: those at temperature 1, and those whose rule says so.
    """
    if not rules:
        return None
    in_order = np.array([rule is None or rule.in_order for rule in rules])
    found = np.where(in_order, 1, temperature)
    return np.repeat(found, CANDIDATES) if (found > 1).any() else None


def _log_probs(
    frames: Bools, logits: Floats, lowered: Floats | None, fixed: Bools, temperature: Floats
) -> tuple[Floats, Floats]:
    """Return the log-probabilities (B,) of `frames` (B, D) by the model, and unit by unit at a `temperature` (B,).

    The latter excludes `fixed` units, and has log-odds that limits `lowered` (B, D).
    """
    signed = np.where(frames, logits, -logits)
    logp = _log_sigmoid(signed)
    tempered = signed if (temperature == 1).all() else signed / temperature[:, None]
    if lowered is not None:
        tempered = tempered - np.where(frames, lowered, -lowered)
    logq = logp if tempered is signed else _log_sigmoid(tempered)
    return logp.sum(axis=1), np.where(fixed, 0, logq).sum(axis=1)


def _log_sigmoid(x: Floats) -> Floats:
    """Return log(sigmoid(x)), several times as fast as `np.logaddexp` and as exact as weights need."""
    return np.asarray(np.minimum(x, 0) - np.log(1 + np.exp(-np.abs(x))))


def _first_legal(frames: Bools, rank: Floats, keys: Floats, rule: FrameRule | None) -> tuple[int, Bools]:
    """Return the legal candidate (M, D) of the highest of the `keys` (M,), or else the highest, made legal."""
    order = [int(number) for number in np.argsort(-keys, kind="stable") if keys[number] > -np.inf]
    if rule is None:
        return order[0], frames[order[0]]
    legal = [apply_frame_rule(frames[order[0]], rank[order[0]], rule)]
    for number in order:
        if number != order[0]:
            legal.append(apply_frame_rule(frames[number], rank[number], rule))
        if (legal[-1] == frames[number]).all():
            return number, legal[-1]
    return order[0], legal[0]
