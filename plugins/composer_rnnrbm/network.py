"""RNN-RBM for training. Frame v_t is modeled by an RBM (`rbm.py`) whose biases depend on the frames before it:

    bv_t = bv + Wuv u_(t-1)
    bh_t = bh + Wuh u_(t-1)
    u_t  = tanh(bu + Wvu v_t + Wuu u_(t-1))        u_0 is trained

With cell `lstm`, u_t is the output of an LSTM with the gates i, f, g, o = bu + Wvu v_t + Wuu u_(t-1), and its initial
cells c_0 are trained too. `dropout` applies to u_(t-1) as it enters the biases, not in the recurrence. `sampler.py` has
the same equations in numpy.

Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in high-dimensional sequences, 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api import SequenceSpec
from composer.api.network import Batch, Loss, Measurement, Network, Phase
from composer.api.sampling.filters import BatchSamplingParams, Bools, Draw, Ints, RNGStream, StepRNG
from composer.api.sampling.torch_filters import (
    TorchDraw,
    TorchFrameRules,
    TorchSamplingParams,
    draw_frames,
    frame_log_prob,
)
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.toolkit.models.device_loop import DeviceLoop
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.outputs import SPARSE_LOGIT
from composer_rnnrbm.config import RnnRbmConfig
from composer_rnnrbm.gibbs_chain import DrawnNumbers
from composer_rnnrbm.partition_function import Effort, log_partition, most_frequent
from composer_rnnrbm.rbm import filtered, free_energy, gibbs, last_half_step, log_weight, thresholds

PRETRAINING = "pretraining"

MONITORED_FRAMES = 16
"""Frames of a batch that the training monitor is computed on."""

MAX_FRAMES_AT_ONCE = 2048
"""Maximum number of parallel chains, to bound memory. It does not depend on gradient-checkpointing chunks, so neither
do the random numbers."""

MAX_KNOWN_FRAMES = 1024
"""Distinct frames of a batch that are summed exactly in Z."""

MONITOR_EFFORT, EVALUATE_EFFORT = Effort(10, 4), Effort(25, 4, shared=True)
LIKELIHOOD_EFFORT = Effort(150, 64, max_variance=0.005, max_stderr=0.002)
"""For monitoring, for choosing the best checkpoint, and for reported likelihoods. The first two are far too low for
sharp RBMs, but fall with the truth. The last is at most 0.06 nats per frame too low on JSB and 0.01 on Nottingham,
compared with 1,000 steps of 256 chains."""


class RnnRbmNetwork(Network):
    """Weights have their names in the paper; W is (H, V), the others are (outputs, inputs)."""

    def __init__(self, spec: SequenceSpec, config: RnnRbmConfig) -> None:
        super().__init__()
        self.spec, self.config = spec, config
        self.device_loop = DeviceLoop(self)
        self.dropout = Dropout(config.dropout)
        visible, hidden, recurrent = spec.size, config.hidden, config.recurrent
        gates = recurrent * (4 if config.cell == "lstm" else 1)
        self.W = nn.Parameter(0.01 * torch.randn(hidden, visible))
        self.bv = nn.Parameter(torch.full((visible,), SPARSE_LOGIT))
        self.bh = nn.Parameter(torch.zeros(hidden))
        self.Wuv = nn.Parameter(0.01 * torch.randn(visible, recurrent))
        self.Wuh = nn.Parameter(0.01 * torch.randn(hidden, recurrent))
        # frames are sparse: the few active units must have an effect
        self.Wvu = nn.Parameter(torch.randn(gates, visible) * 0.2)
        squares = [nn.init.orthogonal_(torch.empty(recurrent, recurrent)) for _ in range(gates // recurrent)]
        self.Wuu = nn.Parameter(torch.cat(squares))
        self.bu = nn.Parameter(torch.zeros(gates))
        self.u0 = nn.Parameter(torch.zeros(recurrent))
        if config.cell == "lstm":
            self.c0 = nn.Parameter(torch.zeros(recurrent))
            with torch.no_grad():  # open forget gates (Jozefowicz, Zaremba and Sutskever 2015)
                self.bu[recurrent : 2 * recurrent] = 1.0

    def phases(self) -> Sequence[Phase]:
        """Return pretraining, of W, bv and bh as one RBM for all frames, then training of all weights."""
        epochs = self.config.pretraining
        alone = [Phase(PRETRAINING, epochs=epochs, lr=self.config.pretraining_lr)] if epochs else []
        return [*alone, Phase()]

    def loss(self, batch: Batch, state: Any) -> tuple[Loss, Any]:
        """Return contrastive divergence: F(v_t) - F(v_t*), with v_t* fixed, k Gibbs steps from v_t.

        This objective varies with the quality of the chains and does not measure progress. The monitor does: it is a
        rougher estimate of `evaluate` on some of the frames.
        """
        with torch.autocast(self.device.type, enabled=False):
            v, u, state = self._frames_and_contexts(batch, state)
            blocks = zip(torch.split(v, MAX_FRAMES_AT_ONCE), torch.split(u, MAX_FRAMES_AT_ONCE), strict=True)
            parts = [self.checkpointed(self._difference, *block, []) for block in blocks]
            objective = torch.stack(parts).sum() / max(1, len(v))
            some = torch.linspace(0, max(0, len(v) - 1), min(MONITORED_FRAMES, len(v)), device=v.device).long()
            with torch.no_grad():
                bv, bh = self._rbm_biases(u[some])
            monitor = self._nll(v[some], bv, bh, MONITOR_EFFORT)[0].sum() / max(1, len(some))
        return Loss(objective, monitor), tuple(part.detach() for part in state)

    def _difference(self, v: Tensor, u: Tensor, reached: list[Tensor]) -> Tensor:
        """Return F(v_t) - F(v_t*), summed over frames (N, V). Stores v* in `reached`, for gradient checkpointing."""
        bv, bh = self._rbm_biases(u)
        if not reached:
            reached.append(gibbs(v, self.W, bv, bh, 1 if self.phase == PRETRAINING else self.config.k))
        return (free_energy(v, self.W, bv, bh) - free_energy(reached[0], self.W, bv, bh)).sum()

    def evaluate(self, batch: Batch, state: Any) -> tuple[Measurement, Any]:
        """Estimate -log p(v_t), with the same random numbers at every call and for all frames."""
        return self._measure(batch, state, EVALUATE_EFFORT)

    def likelihood(self, batch: Batch, state: Any, effort: int = 1) -> tuple[Measurement, Any]:
        """Estimate -log p(v_t) by annealed importance sampling, with its standard error.

        If chains miss a mode of an RBM, log Z and so this figure are too low, less so with more effort. The frames of
        the batch bound how far (see `partition_function.py`).
        """
        return self._measure(batch, state, LIKELIHOOD_EFFORT.times(effort), self.on_progress)

    @torch.no_grad()
    def hidden_states(self, batch: Batch, state: Any) -> tuple[Tensor, Any]:
        """Return the recurrent units u (B, T, R) after each of the inputs; before a piece, they are u_0."""
        return self._recurrent(batch.inputs.to(self.W.dtype), state, batch.reset)

    def biases(
        self, inputs: Tensor, state: tuple[Tensor, ...] | None, reset: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return bv_t (B, T, V), bh_t (B, T, H) and the state u_(t-1) (B, R) of the last step.

        `inputs` (B, T, V) are the frames v_(t-1); `reset` (B, T) is true if v_t begins a piece.
        """
        u, state = self._recurrent(inputs, state, reset)
        return *self._rbm_biases(u), state

    def _recurrent(
        self, inputs: Tensor, state: tuple[Tensor, ...] | None, reset: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return u_(t-1) (B, T, R) and the state after the last."""
        first = self._initial_recurrent_state(len(inputs))
        begins = reset.any(0).tolist()
        outputs = []
        for column, drive in enumerate(F.linear(inputs, self.Wvu, self.bu).unbind(1)):
            if state is None:
                state = first
            else:
                state = self._cell(drive, state)
                if begins[column]:
                    fresh = reset[:, column, None]
                    state = tuple(torch.where(fresh, new, old) for new, old in zip(first, state, strict=True))
            outputs.append(state[0])
        return torch.stack(outputs, 1), state or first

    def _cell(self, drive: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The next state from bu + Wvu v_t (B, gates)."""
        gates = torch.addmm(drive, state[0], self.Wuu.T)
        if self.config.cell == "tanh":
            return (gates.tanh(),)
        i, f, g, o = gates.chunk(4, -1)
        c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def _initial_recurrent_state(self, rows: int) -> tuple[Tensor, ...]:
        parts = (self.u0,) if self.config.cell == "tanh" else (self.u0, self.c0)
        return tuple(part.expand(rows, -1) for part in parts)

    def _frames_and_contexts(self, batch: Batch, state: Any) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return the counted frames v (N, V), u before each (N, R), and the next window's state.

        In pretraining, u is empty: (N, 0).
        """
        counted = batch.weight > 0
        v = batch.targets[counted].to(self.W.dtype)
        if self.phase == PRETRAINING:
            return v, v[:, :0], ()
        outputs, inputs = [], batch.inputs.to(self.W.dtype)
        for chunk in self.chunks(inputs.shape[1]):
            part = inputs[:, chunk], state, batch.reset[:, chunk]
            u, state = self.checkpointed(self._recurrent, *part)
            outputs.append(u)
        return v, self.dropout(torch.cat(outputs, 1)[counted]), state

    def _rbm_biases(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return the biases (N, V) and (N, H) of frames, given u before each (N, R).

        In pretraining, all frames share the biases (1, V) and (1, H).
        """
        if self.phase == PRETRAINING:
            return self.bv[None], self.bh[None]
        return F.linear(u, self.Wuv, self.bv), F.linear(u, self.Wuh, self.bh)

    @torch.no_grad()
    def _measure(
        self, batch: Batch, state: Any, effort: Effort, progress: Callable[[float], object] | None = None
    ) -> tuple[Measurement, Any]:
        v, u, state = self._frames_and_contexts(batch, state)
        if not len(v):
            return Measurement(), state
        bv, bh = self._rbm_biases(u)
        nats, variance = self._nll(v, bv, bh, effort, progress)
        # errors of frames with the same biases are fully correlated
        stderr = float(variance.sum().sqrt()) * (len(v) if len(bv) == 1 else 1)
        return Measurement(float(nats.sum()), float(len(v)), stderr=stderr), state

    @torch.no_grad()
    def _nll(
        self, v: Tensor, bv: Tensor, bh: Tensor, effort: Effort, progress: Callable[[float], object] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return -log p(v) of each frame (N,) and the variance of each estimate of log Z."""
        log_z, variance = log_partition(self.W, bv, bh, effort, most_frequent(v, MAX_KNOWN_FRAMES), progress)
        return free_energy(v, self.W, bv, bh).double() + log_z, variance

    @torch.no_grad()
    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> Any:
        rows = len(conditions)
        return _SamplerState(self._initial_recurrent_state(rows), torch.zeros(rows, self.spec.size, device=self.device))

    @torch.no_grad()
    def advance(
        self, state: Any, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> Any:
        after = self.advance_on_device(state, torch.as_tensor(np.asarray(steps), device=self.device))
        if active is None:
            return after
        rows = torch.arange(len(after.last_frame), device=self.device)
        keep = torch.as_tensor(active, device=self.device)
        return after.concat_rows(state).rows(torch.where(keep, rows, rows + len(rows)))

    def advance_on_device(self, state: Any, steps: Tensor) -> Any:
        """Return the state after the frames `steps` (B, V)."""
        frame = steps.to(self.W)
        return _SamplerState(self._cell(F.linear(frame, self.Wvu, self.bu), state.recurrent), frame)

    def draw(self, state: Any, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """Draw the next frame of each row; `logp` is that of the last half-step, as in RnnRbmSampler."""
        u = state.recurrent[0]
        bv, bh = F.linear(u, self.Wuv, self.bv), F.linear(u, self.Wuh, self.bh)
        hidden, visible = thresholds(bv, bh, params, rng, self.config.gibbs)
        v, rank = state.last_frame, bv
        if self.config.gibbs_from == "zeros":
            v = torch.zeros_like(v)
        rules = params.rule if isinstance(params.rule, TorchFrameRules) else None
        if rules is not None:
            must_be_off, must_be_on = rules.must_be_off.to(v.device), rules.must_be_on.to(v.device)
            v = v.masked_fill(must_be_off, 0).masked_fill(must_be_on, 1)
            rank = bv.masked_fill(must_be_off, -torch.inf).masked_fill(must_be_on, torch.inf)

        def half_step(x: Tensor, step: int) -> Tensor:
            logits = (x > hidden[step]).to(v.dtype) @ self.W
            frames = logits > visible[step]
            if rules is not None and rules.needs_repair:
                frames = rules.apply(frames, logits + rank)
            return frames.to(v)

        if not (params.is_default or params.per_unit):
            return self._draw_jointly(half_step, v, (bv, bh), hidden, params, rng)
        for step in range(len(visible)):
            v = half_step(F.linear(v, self.W), step)
        logits = (F.linear(v, self.W) > hidden[-1]).to(v.dtype) @ self.W + bv
        return draw_frames(logits, params, rng)

    def _draw_jointly(
        self,
        half_step: Callable[[Tensor, int], Tensor],
        v: Tensor,
        biases: tuple[Tensor, Tensor],
        hidden: Tensor,
        params: TorchSamplingParams,
        rng: TorchStepRNG,
    ) -> TorchDraw:
        """Draw as RnnRbmSampler does at a temperature or with filters; `half_step` returns v' from W v."""
        (bv, bh), gibbs = biases, self.config.gibbs
        device = params.temperature.device
        final = DrawnNumbers(rng.uniform(*bv.shape))
        log_numbers = rng.uniform(len(bv), gibbs).masked_fill(params.is_greedy[:, None], 0.5).clamp(min=1e-300).log()
        x = F.linear(v, self.W)
        weight, visited = log_weight(v, x + bh, bv, params), []
        for step in range(gibbs):
            if step < gibbs - 1:
                proposed = half_step(x, step)
            else:
                logits = (x > hidden[-1]).to(v.dtype) @ self.W + bv
                draw = draw_frames(logits, last_half_step(params), final)
                proposed = draw.steps.to(v)
            x_proposed = F.linear(proposed, self.W)
            weight_proposed = log_weight(proposed, x_proposed + bh, bv, params)
            accepted = log_numbers[:, step].to(device) < (weight_proposed - weight).to(device)
            accepted = accepted.to(v.device)
            v, x = torch.where(accepted[:, None], proposed, v), torch.where(accepted[:, None], x_proposed, x)
            weight = torch.where(accepted, weight_proposed, weight)
            if params.has_filters and step >= gibbs // 2:
                visited.append((v, -free_energy(v, self.W, bv, bh)))
        if visited:
            v = torch.where(params.has_filter[:, None].to(v.device), filtered(visited, params, rng).to(v), v)
        logits = logits.to(device)
        return TorchDraw(v.to(device, torch.uint8), frame_log_prob(logits, v.to(device) > 0), draw.masked_prob)

    def sample(self, state: Any, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        return self.device_loop.sample(state, params, rng)

    def run(self, state: Any, params: BatchSamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, Any]:
        return self.device_loop.run(state, params, rng, steps)

    def gather_rows(self, state: Any, rows: Ints, fresh: Any = None) -> Any:
        joined = state if fresh is None else state.concat_rows(fresh)
        index = torch.as_tensor(np.array(rows), device=self.device)
        return joined.rows(torch.where(index < 0, len(joined.last_frame) - 1, index))


@dataclass(frozen=True, slots=True, eq=False)
class _SamplerState:
    """State while generating: u, or u and c (B, R), and the last frame (B, V), where the next chain starts."""

    recurrent: tuple[Tensor, ...]
    last_frame: Tensor

    def concat_rows(self, other: _SamplerState) -> _SamplerState:
        parts = tuple(torch.cat(pair) for pair in zip(self.recurrent, other.recurrent, strict=True))
        return _SamplerState(parts, torch.cat([self.last_frame, other.last_frame]))

    def rows(self, index: Tensor) -> _SamplerState:
        return _SamplerState(tuple(part[index] for part in self.recurrent), self.last_frame[index])
