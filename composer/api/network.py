"""The face of a model that learns: torch modules, their batches and their losses.

`composer.toolkit.models.lstm_torch` has what networks of LSTM layers share,
`composer.toolkit.models.device_loop` how networks compose on their
device.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from composer.api.errors import Unsupported
from composer.api.gradient_checkpointing import GradientCheckpointing
from composer.api.model import State
from composer.api.sampling.filters import Bools, Draw, Floats, Ints, RNGStream, SamplingParams, StepRNG
from composer.api.sampling.torch_filters import TorchDraw, TorchSamplingParams
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.device_loop import DeviceLoop, run_on_host
from composer.toolkit.models.outputs import Distribution, default_distribution

__all__ = [
    "Batch",
    "Loss",
    "Measurement",
    "Network",
    "Phase",
    "StepwiseNetwork",
]

SPARSE_LOGIT = -4.0
"""The logit that a unit of a frame begins with: active in one frame of fifty."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A window of B streams, T steps long.

    `inputs` and `targets`: token ids (B, T), int64, or frames (B, T, V), float of 0 and 1. `inputs` are `targets` one
    step earlier, and a piece's first input is the end symbol or an empty frame. `weight` (B, T): 1 for a step that
    counts, 0 for padding. `reset` (B, T): true where a piece begins, so that nothing before it may be remembered.
    `conditions`: for each condition the value's index (B, T), int64, -1 for none.
    """

    inputs: Tensor
    targets: Tensor
    weight: Tensor
    reset: Tensor
    conditions: Mapping[str, Tensor] = field(default_factory=dict)

    def slice_time(self, start: int, stop: int) -> Batch:
        """The steps from `start` to `stop - 1` of the window."""
        cut = slice(start, stop)
        conditions = {name: value[:, cut] for name, value in self.conditions.items()}
        return Batch(
            self.inputs[:, cut], self.targets[:, cut], self.weight[:, cut], self.reset[:, cut].clone(), conditions
        )


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What training descends and what it watches, each a scalar per counted step. `monitor` is detached, in nats."""

    objective: Tensor
    monitor: Tensor


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quality measured over `count` steps: `total` in `unit`, pooled by adding measures."""

    total: float = 0.0
    count: float = 0.0
    unit: str = "nats"
    stderr: float = 0.0

    def __add__(self, other: Measurement) -> Measurement:
        stderr = float(np.hypot(self.stderr, other.stderr))
        return Measurement(self.total + other.total, self.count + other.count, other.unit, stderr)

    @property
    def mean(self) -> float:
        """Per step; nan where nothing was counted."""
        return self.total / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of training. `epochs` and `lr`, where given, replace the run's own for this phase."""

    name: str = "train"
    epochs: int | None = None
    lr: float | None = None


class Network(GradientCheckpointing, nn.Module, ABC):
    """A torch module that learns from batches and, as a Sampler, plays on its own device.

    Weights are saved by their names in `state_dict()`, as arrays of the same names.
    """

    phase = "train"

    def phases(self) -> Sequence[Phase]:
        """The parts of training, in order; one that starts from a model (`--from`) goes through the last alone."""
        return (Phase(),)

    def start_phase(self, phase: Phase) -> None:
        """Called when a phase begins; `loss` may differ from phase to phase."""
        self.phase = phase.name

    @abstractmethod
    def loss(self, batch: Batch, state: State | None) -> tuple[Loss, State]:
        """The loss on `batch` and the state to hand, detached, to the next window; None begins a stream.

        The state is saved with the training: it is made of tensors in tuples, lists and dicts.
        """

    @abstractmethod
    def evaluate(self, batch: Batch, state: State | None) -> tuple[Measurement, State]:
        """The measure that is reported and that the best checkpoint is chosen by; lower is better."""

    def likelihood(self, batch: Batch, state: State | None, effort: int = 1) -> tuple[Measurement, State]:
        """Nats by the model's probability, for figures. An estimate has its standard error; `effort` times the work.

        Here it is what `evaluate` gives, for networks whose measure is exact.
        """
        return self.evaluate(batch, state)

    @abstractmethod
    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> State:
        """As in Sampler."""

    @abstractmethod
    def advance(self, state: State, steps: NDArray[Any], active: Bools | None = None) -> State:
        """As in Sampler."""

    @abstractmethod
    def sample(self, state: State, params: SamplingParams, rng: StepRNG) -> Draw:
        """As in Sampler."""

    @abstractmethod
    def gather_rows(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        """As in Sampler."""

    def log_prob(self, state: State, steps: NDArray[Any]) -> Floats:
        """As in Sampler."""
        raise Unsupported(f"{type(self).__name__} gives no exact probability of a step")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


class StepwiseNetwork(Network):
    """A network whose next step depends on one vector of outputs, of which `distribution` makes its chances.

    That is a softmax over tokens or a sigmoid per unit where nothing else is given. A subclass writes `forward` and
    `initial_layer_states`; a state is a tuple of tensors (layers, B, ...), rows on the second axis.
    """

    def __init__(self, spec: SequenceSpec, distribution: Distribution | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.distribution = default_distribution(spec) if distribution is None else distribution
        self.device_loop = DeviceLoop(self)

    @abstractmethod
    def initial_layer_states(self, rows: int) -> tuple[Tensor, ...]:
        """The state before a piece, for `rows` rows."""

    @abstractmethod
    def forward(
        self, inputs: Tensor, state: tuple[Tensor, ...], reset: Tensor | None, conditions: Mapping[str, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outputs (B, T, O) for the steps after `inputs` (B, T) or (B, T, V), and the state after the last of them.

        They are the logits of tokens or units, O being V, where the distribution is a plain one.

        Where `reset` (B, T) is true, the state is that of `initial_layer_states` before the input is seen.
        """

    def drop_conditions(self, batch: Batch) -> Batch:
        """What the network gets to see of a window, decided once for all its steps: here, everything."""
        return batch

    def loss(self, batch: Batch, state: State | None) -> tuple[Loss, State]:
        nats, state = self._nll(batch, state)
        mean = nats.sum() / batch.weight.sum().clamp(min=1)
        return Loss(mean, mean.detach()), tuple(part.detach() for part in state)

    @torch.no_grad()
    def evaluate(self, batch: Batch, state: State | None) -> tuple[Measurement, State]:
        nats, state = self._nll(batch, state)
        return Measurement(float(nats.double().sum()), float(batch.weight.sum())), state

    def _nll(self, batch: Batch, state: State | None) -> tuple[Tensor, State]:
        """Nats of each step (B, T), 0 for padding; those of a frame are summed over its units."""
        state = self.initial_layer_states(len(batch.inputs)) if state is None else state
        batch, found = self.drop_conditions(batch), []
        for stretch in self.chunks(batch.inputs.shape[1]):
            part = batch.slice_time(stretch.start, stretch.stop)
            nats, state = self.checkpointed(self._nll_of_chunk, part, state)
            found.append(nats)
        return torch.cat(found, 1), state

    def _nll_of_chunk(self, batch: Batch, state: State) -> tuple[Tensor, State]:
        outputs, state = self(batch.inputs, state, batch.reset, batch.conditions)
        return self.distribution.nll(outputs.float(), batch.targets) * batch.weight, state

    @torch.no_grad()
    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> State:
        rows = len(conditions)
        first = np.full(rows, self.spec.end) if self.spec.kind is StepKind.TOKENS else np.zeros((rows, self.spec.size))
        known = {name: list(values) for name, values in self.spec.conditions.items()}
        indices = {
            name: torch.tensor(
                [values.index(row[name]) if name in row else -1 for row in conditions], device=self.device
            )
            for name, values in known.items()
        }
        outputs = torch.zeros(rows, self.distribution.outputs, device=self.device)
        return self.advance(_SamplerState(self.initial_layer_states(rows), outputs, indices), first)

    def draw(self, state: State, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """The next step of each row, drawn where the network is."""
        return self.distribution.draw(state.outputs, params, rng)

    def advance_on_device(self, state: State, steps: Tensor) -> State:
        """The state after `steps` (B,) or (B, V)."""
        kind = torch.int64 if self.spec.kind is StepKind.TOKENS else state.outputs.dtype
        inputs = steps.to(state.outputs.device, kind)
        conditions = {name: index[:, None] for name, index in state.conditions.items()}
        outputs, parts = self(inputs[:, None], state.layers, None, conditions)
        return _SamplerState(parts, outputs[:, 0].float(), state.conditions)

    @torch.no_grad()
    def advance(self, state: State, steps: NDArray[Any], active: Bools | None = None) -> State:
        after = self.advance_on_device(state, torch.as_tensor(np.asarray(steps), device=self.device))
        if active is None:
            return after
        keep = torch.as_tensor(active, device=self.device)
        parts = tuple(
            torch.where(keep.view(1, -1, *[1] * (new.dim() - 2)), new, old)
            for new, old in zip(after.layers, state.layers, strict=True)
        )
        return _SamplerState(parts, torch.where(keep[:, None], after.outputs, state.outputs), state.conditions)

    def sample(self, state: State, params: SamplingParams, rng: StepRNG) -> Draw:
        chain = self.distribution.host_sampler()
        if chain is None:
            return self.device_loop.sample(state, params, rng)
        return chain.draw(state.outputs.cpu().numpy(), params, rng)

    def run(self, state: State, params: SamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, State]:
        """As in Running; frames that are drawn on the host go there and back one by one."""
        if self.distribution.host_sampler() is None:
            return self.device_loop.run(state, params, rng, steps)
        return run_on_host(self, state, params, rng, steps)

    def gather_rows(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        index = torch.as_tensor(np.array(rows), device=self.device)
        if fresh is not None:
            count = len(state.outputs)
            index = torch.where(index < 0, count, index)
            state = _SamplerState(
                tuple(torch.cat(pair, 1) for pair in zip(state.layers, fresh.layers, strict=True)),
                torch.cat([state.outputs, fresh.outputs]),
                {name: torch.cat([value, fresh.conditions[name]]) for name, value in state.conditions.items()},
            )
        conditions = {name: value[index] for name, value in state.conditions.items()}
        return _SamplerState(tuple(part[:, index] for part in state.layers), state.outputs[index], conditions)

    def log_prob(self, state: State, steps: NDArray[Any]) -> Floats:
        given = torch.as_tensor(np.asarray(steps), device=state.outputs.device)
        return np.asarray(-self.distribution.nll(state.outputs, given).detach().cpu())


@dataclass(frozen=True, slots=True, eq=False)
class _SamplerState:
    """The state of a StepwiseNetwork while it plays: `layers` (layers, B, ...), `outputs` (B, O), `conditions` (B,)."""

    layers: tuple[Tensor, ...]
    outputs: Tensor
    conditions: Mapping[str, Tensor]
