"""RNN-RBM sampler in numpy: the equations of `network.py`, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, Unsupported
from composer.api.sampling.filters import (
    BatchSamplingParams,
    Bools,
    Draw,
    Floats,
    Ints,
    StepRNG,
    draw_frames,
    frame_log_prob,
    sigmoid,
)
from composer.api.sampling.joint_frames import candidate_keys, first_occurrences, gumbel
from composer_rnnrbm.config import RnnRbmConfig
from composer_rnnrbm.gibbs_chain import DrawnNumbers, GibbsChain, LogWeight, accept_numbers, half_step

_F32 = np.float32


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """`u` (B, R), the LSTM cells `c` (B, R) or None, and the last frame `v` (B, V)."""

    u: Floats
    c: Floats | None
    v: Floats

    def concat_rows(self, other: _State) -> _State:
        """Return the rows of both; if `other` has one row, index -1 is it."""
        c = None if self.c is None or other.c is None else np.concatenate([self.c, other.c])
        return _State(np.concatenate([self.u, other.u]), c, np.concatenate([self.v, other.v]))

    def rows(self, index: Ints) -> _State:
        return _State(self.u[index], None if self.c is None else self.c[index], self.v[index])


class RnnRbmSampler:
    """Generates with an RNN-RBM. `weights` are those of RnnRbmNetwork, under the same names."""

    def __init__(self, spec: SequenceSpec, config: RnnRbmConfig, weights: Mapping[str, NDArray[Any]]) -> None:
        self.spec, self.config = spec, config
        arrays = {name: np.ascontiguousarray(array, _F32) for name, array in weights.items()}
        self.W, self.up = arrays["W"], np.ascontiguousarray(arrays["W"].T)
        self.biases_without_context = np.concatenate([arrays["bv"], arrays["bh"]])
        self.Wu = np.ascontiguousarray(np.concatenate([arrays["Wuv"], arrays["Wuh"]]).T)
        self.Wvu, self.Wuu = (np.ascontiguousarray(arrays[name].T) for name in ("Wvu", "Wuu"))
        self.bu, self.u0, self.c0 = arrays["bu"], arrays["u0"], arrays.get("c0")

    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> _State:
        """Return u_0, and an empty frame from which the first chain starts."""
        rows = len(conditions)
        c = None if self.c0 is None else np.tile(self.c0, (rows, 1))
        return _State(np.tile(self.u0, (rows, 1)), c, np.zeros((rows, self.spec.size), _F32))

    def advance(
        self, state: _State, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> _State:
        """Return u_t, from v_t and u_(t-1)."""
        v = np.asarray(steps, _F32)
        gates = v @ self.Wvu
        gates += state.u @ self.Wuu
        gates += self.bu
        c = None
        if state.c is None:
            u = np.tanh(gates)
        else:
            i, f, g, o = np.split(gates, 4, axis=1)
            c = sigmoid(f) * state.c + sigmoid(i) * np.tanh(g)
            u = sigmoid(o) * np.tanh(c)
        after = _State(u, c, v)
        if active is None:
            return after
        rows = np.arange(len(v))
        return after.concat_rows(state).rows(np.where(active, rows, rows + len(rows)))

    def sample(self, state: _State, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        """Draw the next frame with a Gibbs chain that starts from the last frame, or silence, clamped to the rules.

        `logp` and `masked_prob` are those of the last half-step, from hidden units to the frame; the probability of the
        frame itself would need the partition function.
        """
        bv, bh = self.biases(state)
        chain = GibbsChain.from_biases(bv, bh, params, rng, self.config.gibbs)
        start = state.v if self.config.gibbs_from == "previous" else np.zeros_like(state.v)
        if not (params.is_default or params.per_unit):
            return self._sample_jointly(chain, start, (bv, bh), params, rng)
        v, h = chain.clamp(start), np.empty(bh.shape, _F32)
        into_v, into_h = np.empty_like(v), np.empty_like(h)
        above_v, above_h = np.empty(v.shape, bool), np.empty(h.shape, bool)
        # numpy call overhead is half the time, so avoid allocation, and casts within comparisons
        up, down, greater, rules = self.up, self.W, np.greater, chain.rules
        for hidden_threshold, visible_threshold in zip(chain.hidden, chain.visible, strict=False):
            h[:] = greater(v.dot(up, into_h), hidden_threshold, above_h)
            v[:] = greater(h.dot(down, into_v), visible_threshold, above_v)
            if rules:
                v[:] = chain.apply_rules(above_v, into_v)
        h[:] = greater(v.dot(up, into_h), chain.hidden[-1], above_h)
        return draw_frames(h.dot(down, into_v) + bv, params, rng)

    def _sample_jointly(
        self, chain: GibbsChain, v: Floats, biases: tuple[Floats, Floats], params: BatchSamplingParams, rng: StepRNG
    ) -> Draw:
        """Draw the next frame at a temperature or with filters: steps of the chain may be rejected."""
        (bv, bh), gibbs = biases, self.config.gibbs
        final = DrawnNumbers(rng.uniform(*bv.shape))
        log_numbers = accept_numbers(params, rng, gibbs)
        v, log_weight, visited = chain.clamp(v), LogWeight(bv, bh, params), []
        x: Floats = v @ self.up
        weight, logp = log_weight(v, x)
        for step in range(gibbs):
            field = (x > chain.hidden[step]).astype(_F32) @ self.W
            if step < gibbs - 1:
                above = field > chain.visible[step]
                proposed = (chain.apply_rules(above, field) if chain.rules else above).astype(_F32)
            else:
                draw = draw_frames(field + bv, half_step(params), final)
                proposed = draw.steps.astype(_F32)
            x_proposed = proposed @ self.up
            weight_proposed, logp_proposed = log_weight(proposed, x_proposed)
            accepted = log_numbers[:, step] < weight_proposed - weight
            if accepted.all():
                v, x, weight, logp = proposed, x_proposed, weight_proposed, logp_proposed
            elif accepted.any():
                v, x = np.where(accepted[:, None], proposed, v), np.where(accepted[:, None], x_proposed, x)
                weight, logp = np.where(accepted, weight_proposed, weight), np.where(accepted, logp_proposed, logp)
            if params.has_filters and step >= gibbs // 2:
                visited.append((v, logp))
        if visited:
            v = np.where(params.has_filter[:, None], _filtered(visited, params, rng), v)
        return Draw(v.astype(np.uint8), frame_log_prob(field + bv, v), draw.masked_prob)

    def gather_rows(self, state: _State, rows: Ints, fresh: _State | None = None) -> _State:
        """Return a copy of these rows."""
        return (state if fresh is None else state.concat_rows(fresh)).rows(rows)

    def log_prob(self, state: _State, steps: NDArray[Any]) -> Floats:
        raise Unsupported("rnnrbm has no exact probability of a frame")

    def biases(self, state: _State) -> tuple[Floats, Floats]:
        """Return bv_t (B, V) and bh_t (B, H) of the next frame."""
        both = state.u @ self.Wu
        both += self.biases_without_context
        return both[:, : self.spec.size], both[:, self.spec.size :]


def _filtered(visited: Sequence[tuple[Floats, Floats]], params: BatchSamplingParams, rng: StepRNG) -> Floats:
    """Return one of the distinct frames `visited` per row, each (B, V) with -F(v) (B,), by temperature and filters."""
    frames, logp = (np.stack(each, axis=1) for each in zip(*visited, strict=True))
    rows, count = logp.shape
    temperature = np.where(params.is_greedy, 0, params.temperature)
    noise = gumbel(rng.uniform(rows, count))
    keys = candidate_keys(logp, np.zeros_like(logp), first_occurrences(frames), temperature, params.truncation, noise)
    return np.asarray(frames[np.arange(rows), keys.argmax(axis=1)])
