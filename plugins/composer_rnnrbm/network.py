"""The RNN-RBM that learns. Frame v_t belongs to a Boltzmann machine (`rbm.py`) whose biases come from the frames
before it, and from them alone:

    bv_t = bv + Wuv u_(t-1)
    bh_t = bh + Wuh u_(t-1)
    u_t  = tanh(bu + Wvu v_t + Wuu u_(t-1))        u_0 is learnt

With cell `lstm`, u_t is the output of an LSTM with the gates i, f, g, o = bu + Wvu v_t + Wuu u_(t-1), whose first cells
c_0 are learnt too. While training, `dropout` is put on u_(t-1) where it goes into biases, not where it goes on to u_t.
`sampler.py` has the same in numpy.

Boulanger-Lewandowski, Bengio and Vincent, Modeling temporal dependencies in high-dimensional sequences, 2012.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api import SequenceSpec
from composer.api.network import SPARSE_LOGIT, Batch, Loss, Measurement, Network, Phase
from composer.api.sampling.filters import Bools, Draw, Ints, RNGStream, SamplingParams, StepRNG
from composer.api.sampling.torch_filters import TorchDraw, TorchFrameRules, TorchSamplingParams, draw_frames
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.toolkit.models.device_loop import DeviceLoop
from composer.toolkit.models.dropout import Dropout
from composer_rnnrbm.partition_function import Effort, log_partition, most_frequent
from composer_rnnrbm.rbm import free_energy, gibbs, thresholds

if TYPE_CHECKING:
    from composer_rnnrbm import RnnRbmConfig

PRETRAINING = "pretraining"

MONITORED_FRAMES = 16
"""How many frames of a batch are looked at to tell how training goes."""

MAX_FRAMES_AT_ONCE = 2048
"""How many chains go side by side at most, so that the room for them does not grow with a batch. It is the same however
a window is cut, so that the random numbers are, too."""

MAX_KNOWN_FRAMES = 256
"""How many distinct frames of a batch bound log Z from below."""
MONITOR_EFFORT, EVALUATE_EFFORT, LIKELIHOOD_EFFORT = Effort(10, 4), Effort(25, 4, shared=True), Effort(400, 4)
"""While training, for the best checkpoint, and for figures. Measured on JSB and Nottingham with 50 and 150 units,
the second is off by up to 0.1 nats a frame, the last up to 0.03 too low."""


class RnnRbmNetwork(Network):
    """Weights by their names in the paper; W is (H, V), the others (outputs, inputs)."""

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
        # a few units of many are active: their sum must be felt
        self.Wvu = nn.Parameter(torch.randn(gates, visible) * 0.2)
        squares = [nn.init.orthogonal_(torch.empty(recurrent, recurrent)) for _ in range(gates // recurrent)]
        self.Wuu = nn.Parameter(torch.cat(squares))
        self.bu = nn.Parameter(torch.zeros(gates))
        self.u0 = nn.Parameter(torch.zeros(recurrent))
        if config.cell == "lstm":
            self.c0 = nn.Parameter(torch.zeros(recurrent))
            with torch.no_grad():  # forget gates begin open (Jozefowicz, Zaremba and Sutskever 2015)
                self.bu[recurrent : 2 * recurrent] = 1.0

    def phases(self) -> Sequence[Phase]:
        """First W, bv and bh alone, as of one machine for all frames, then everything."""
        epochs = self.config.pretraining
        alone = [Phase(PRETRAINING, epochs=epochs, lr=self.config.pretraining_lr)] if epochs else []
        return [*alone, Phase()]

    def loss(self, batch: Batch, state: Any) -> tuple[Loss, Any]:
        """The objective is F(v_t) - F(v_t*), v_t* reached from v_t by k Gibbs steps and held fixed.

        It falls and rises with the quality of the chains and says nothing of progress. The monitor does: it is what
        `evaluate` gives, of some frames and more roughly.
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
        """F(v_t) - F(v_t*), summed over frames (N, V). `reached` is given v*, and keeps it for a second call."""
        bv, bh = self._rbm_biases(u)
        if not reached:
            reached.append(gibbs(v, self.W, bv, bh, 1 if self.phase == PRETRAINING else self.config.k))
        return (free_energy(v, self.W, bv, bh) - free_energy(reached[0], self.W, bv, bh)).sum()

    def evaluate(self, batch: Batch, state: Any) -> tuple[Measurement, Any]:
        """An estimate of -log p(v_t), with the same random numbers at every call and for all frames."""
        return self._measure(batch, state, EVALUATE_EFFORT)

    def likelihood(self, batch: Batch, state: Any, effort: int = 1) -> tuple[Measurement, Any]:
        """-log p(v_t) by annealed importance sampling, with the error that its chains leave.

        Where some chains miss what a machine also draws, log Z comes out too small: such a figure errs on the low
        side, and less so with more effort. The frames of the batch themselves bound how far (see `partition.py`).
        """
        return self._measure(batch, state, Effort(LIKELIHOOD_EFFORT.steps * effort, LIKELIHOOD_EFFORT.chains))

    def biases(
        self, inputs: Tensor, state: tuple[Tensor, ...] | None, reset: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """bv_t (B, T, V), bh_t (B, T, H) and the state u_(t-1) (B, R) of the last step, from the frames before each.

        `inputs` (B, T, V) are the frames v_(t-1); `reset` (B, T) is true where v_t begins a piece.
        """
        u, state = self._recurrent(inputs, state, reset)
        return *self._rbm_biases(u), state

    def _recurrent(
        self, inputs: Tensor, state: tuple[Tensor, ...] | None, reset: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """u_(t-1) (B, T, R), and the state after them."""
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
        """The frames v (N, V) that count, u before each (N, R), and the state to hand on.

        While pretraining, u says nothing: it is (N, 0).
        """
        counted = batch.weight > 0
        v = batch.targets[counted].to(self.W.dtype)
        if self.phase == PRETRAINING:
            return v, v[:, :0], ()
        outputs, inputs = [], batch.inputs.to(self.W.dtype)
        for stretch in self.chunks(inputs.shape[1]):
            part = inputs[:, stretch], state, batch.reset[:, stretch]
            u, state = self.checkpointed(self._recurrent, *part)
            outputs.append(u)
        return v, self.dropout(torch.cat(outputs, 1)[counted]), state

    def _rbm_biases(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """The biases (N, V) and (N, H) of frames before which u is (N, R).

        While pretraining, all frames share one machine: its biases are (1, V) and (1, H).
        """
        if self.phase == PRETRAINING:
            return self.bv[None], self.bh[None]
        return F.linear(u, self.Wuv, self.bv), F.linear(u, self.Wuh, self.bh)

    @torch.no_grad()
    def _measure(self, batch: Batch, state: Any, effort: Effort) -> tuple[Measurement, Any]:
        v, u, state = self._frames_and_contexts(batch, state)
        if not len(v):
            return Measurement(), state
        bv, bh = self._rbm_biases(u)
        nats, variance = self._nll(v, bv, bh, effort)
        # frames of one machine err together
        stderr = float(variance.sum().sqrt()) * (len(v) if len(bv) == 1 else 1)
        return Measurement(float(nats.sum()), float(len(v)), stderr=stderr), state

    @torch.no_grad()
    def _nll(self, v: Tensor, bv: Tensor, bh: Tensor, effort: Effort) -> tuple[Tensor, Tensor]:
        """-log p(v) of each frame (N,), and the variance of each machine's estimate."""
        log_z, variance = log_partition(self.W, bv, bh, effort, most_frequent(v, MAX_KNOWN_FRAMES))
        return free_energy(v, self.W, bv, bh).double() + log_z, variance

    @torch.no_grad()
    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> Any:
        rows = len(conditions)
        return _SamplerState(self._initial_recurrent_state(rows), torch.zeros(rows, self.spec.size, device=self.device))

    @torch.no_grad()
    def advance(self, state: Any, steps: NDArray[Any], active: Bools | None = None) -> Any:
        after = self.advance_on_device(state, torch.as_tensor(np.asarray(steps), device=self.device))
        if active is None:
            return after
        rows = torch.arange(len(after.last_frame), device=self.device)
        keep = torch.as_tensor(active, device=self.device)
        return after.concat_rows(state).rows(torch.where(keep, rows, rows + len(rows)))

    def advance_on_device(self, state: Any, steps: Tensor) -> Any:
        """The state after the frames `steps` (B, V)."""
        frame = steps.to(self.W)
        return _SamplerState(self._cell(F.linear(frame, self.Wvu, self.bu), state.recurrent), frame)

    def draw(self, state: Any, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """The next frame of each row; `logp` is that of the last half-step, as in RnnRbmSampler."""
        u = state.recurrent[0]
        bv, bh = F.linear(u, self.Wuv, self.bv), F.linear(u, self.Wuh, self.bh)
        hidden, visible = thresholds(bv, bh, params, rng, self.config.gibbs)
        v, rank = state.last_frame, bv
        rules = params.rule if isinstance(params.rule, TorchFrameRules) else None
        if rules is not None:
            held_off, held_on = rules.must_be_off.to(v.device), rules.must_be_on.to(v.device)
            v = v.masked_fill(held_off, 0).masked_fill(held_on, 1)
            rank = bv.masked_fill(held_off, -torch.inf).masked_fill(held_on, torch.inf)
        for on, reached in zip(hidden, visible, strict=False):
            logits = (F.linear(v, self.W) > on).to(v.dtype) @ self.W
            frames = logits > reached
            if rules is not None and rules.needs_repair:
                frames = rules.apply(frames, logits + rank)
            v = frames.to(v)
        logits = (F.linear(v, self.W) > hidden[-1]).to(v.dtype) @ self.W + bv
        return draw_frames(logits, params, rng)

    def sample(self, state: Any, params: SamplingParams, rng: StepRNG) -> Draw:
        return self.device_loop.sample(state, params, rng)

    def run(self, state: Any, params: SamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, Any]:
        """As in Running."""
        return self.device_loop.run(state, params, rng, steps)

    def gather_rows(self, state: Any, rows: Ints, fresh: Any = None) -> Any:
        joined = state if fresh is None else state.concat_rows(fresh)
        index = torch.as_tensor(np.array(rows), device=self.device)
        return joined.rows(torch.where(index < 0, len(joined.last_frame) - 1, index))


@dataclass(frozen=True, slots=True, eq=False)
class _SamplerState:
    """The state while it plays: u, or u and c (B, R), and the frame before (B, V), from which the next chain starts."""

    recurrent: tuple[Tensor, ...]
    last_frame: Tensor

    def concat_rows(self, other: _SamplerState) -> _SamplerState:
        """The rows of both."""
        parts = tuple(torch.cat(pair) for pair in zip(self.recurrent, other.recurrent, strict=True))
        return _SamplerState(parts, torch.cat([self.last_frame, other.last_frame]))

    def rows(self, index: Tensor) -> _SamplerState:
        """Some rows."""
        return _SamplerState(tuple(part[index] for part in self.recurrent), self.last_frame[index])
