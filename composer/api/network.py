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
from composer.api.gradient_checkpointing import Chunked
from composer.api.model import State
from composer.api.sampling.filters import Bools, Drawn, Floats, How, Ints, Noise, Onward
from composer.api.sampling.torch_filters import Drawing, Way
from composer.api.sampling.torch_rng import TensorNoise
from composer.api.sequence import Kind, SequenceSpec
from composer.toolkit.models.device_loop import Runner, stepwise
from composer.toolkit.models.outputs import Distribution, plain

__all__ = [
    "Batch",
    "Loss",
    "Measure",
    "Network",
    "Phase",
    "StepwiseNetwork",
]

SELDOM = -4.0
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

    def between(self, start: int, stop: int) -> Batch:
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
class Measure:
    """A quality measured over `count` steps: `total` in `unit`, pooled by adding measures."""

    total: float = 0.0
    count: float = 0.0
    unit: str = "nats"
    stderr: float = 0.0

    def __add__(self, other: Measure) -> Measure:
        stderr = float(np.hypot(self.stderr, other.stderr))
        return Measure(self.total + other.total, self.count + other.count, other.unit, stderr)

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


class Network(Chunked, nn.Module, ABC):
    """A torch module that learns from batches and, as a Sampler, plays on its own device.

    Weights are saved by their names in `state_dict()`, as arrays of the same names.
    """

    phase = "train"

    def phases(self) -> Sequence[Phase]:
        """The parts of training, in order; one that starts from a model (`--from`) goes through the last alone."""
        return (Phase(),)

    def enter(self, phase: Phase) -> None:
        """Called when a phase begins; `loss` may differ from phase to phase."""
        self.phase = phase.name

    @abstractmethod
    def loss(self, batch: Batch, state: State | None) -> tuple[Loss, State]:
        """The loss on `batch` and the state to hand, detached, to the next window; None begins a stream.

        The state is saved with the training: it is made of tensors in tuples, lists and dicts.
        """

    @abstractmethod
    def evaluate(self, batch: Batch, state: State | None) -> tuple[Measure, State]:
        """The measure that is reported and that the best checkpoint is chosen by; lower is better."""

    def likelihood(self, batch: Batch, state: State | None, effort: int = 1) -> tuple[Measure, State]:
        """Nats by the model's probability, for figures. An estimate has its standard error; `effort` times the work.

        Here it is what `evaluate` gives, for networks whose measure is exact.
        """
        return self.evaluate(batch, state)

    @abstractmethod
    def begin(self, conditions: Sequence[Mapping[str, str]]) -> State:
        """As in Sampler."""

    @abstractmethod
    def observe(self, state: State, steps: NDArray[Any], active: Bools | None = None) -> State:
        """As in Sampler."""

    @abstractmethod
    def sample(self, state: State, how: How, noise: Noise) -> Drawn:
        """As in Sampler."""

    @abstractmethod
    def select(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        """As in Sampler."""

    def score(self, state: State, steps: NDArray[Any]) -> Floats:
        """As in Sampler."""
        raise Unsupported(f"{type(self).__name__} gives no exact probability of a step")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


class StepwiseNetwork(Network):
    """A network whose next step depends on one vector of outputs, of which `distribution` makes its chances.

    That is a softmax over tokens or a sigmoid per unit where nothing else is given. A subclass writes `forward` and
    `start`; a state is a tuple of tensors (layers, B, ...), rows on the second axis.
    """

    def __init__(self, spec: SequenceSpec, distribution: Distribution | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.distribution = plain(spec) if distribution is None else distribution
        self.runner = Runner(self)

    @abstractmethod
    def start(self, rows: int) -> tuple[Tensor, ...]:
        """The state before a piece, for `rows` rows."""

    @abstractmethod
    def forward(
        self, inputs: Tensor, state: tuple[Tensor, ...], reset: Tensor | None, conditions: Mapping[str, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Outputs (B, T, O) for the steps after `inputs` (B, T) or (B, T, V), and the state after the last of them.

        They are the logits of tokens or units, O being V, where the distribution is a plain one.

        Where `reset` (B, T) is true, the state is that of `start` before the input is seen.
        """

    def shown(self, batch: Batch) -> Batch:
        """What the network gets to see of a window, decided once for all its steps: here, everything."""
        return batch

    def loss(self, batch: Batch, state: State | None) -> tuple[Loss, State]:
        nats, state = self._nats(batch, state)
        mean = nats.sum() / batch.weight.sum().clamp(min=1)
        return Loss(mean, mean.detach()), tuple(part.detach() for part in state)

    @torch.no_grad()
    def evaluate(self, batch: Batch, state: State | None) -> tuple[Measure, State]:
        nats, state = self._nats(batch, state)
        return Measure(float(nats.double().sum()), float(batch.weight.sum())), state

    def _nats(self, batch: Batch, state: State | None) -> tuple[Tensor, State]:
        """Nats of each step (B, T), 0 for padding; those of a frame are summed over its units."""
        state = self.start(len(batch.inputs)) if state is None else state
        batch, found = self.shown(batch), []
        for stretch in self.stretches(batch.inputs.shape[1]):
            part = batch.between(stretch.start, stretch.stop)
            nats, state = self.keeping_less(self._nats_at_once, part, state)
            found.append(nats)
        return torch.cat(found, 1), state

    def _nats_at_once(self, batch: Batch, state: State) -> tuple[Tensor, State]:
        outputs, state = self(batch.inputs, state, batch.reset, batch.conditions)
        return self.distribution.nats(outputs.float(), batch.targets) * batch.weight, state

    @torch.no_grad()
    def begin(self, conditions: Sequence[Mapping[str, str]]) -> State:
        rows = len(conditions)
        first = np.full(rows, self.spec.end) if self.spec.kind is Kind.TOKENS else np.zeros((rows, self.spec.size))
        known = {name: list(values) for name, values in self.spec.conditions.items()}
        indices = {
            name: torch.tensor(
                [values.index(row[name]) if name in row else -1 for row in conditions], device=self.device
            )
            for name, values in known.items()
        }
        outputs = torch.zeros(rows, self.distribution.outputs, device=self.device)
        return self.observe(_Playing(self.start(rows), outputs, indices), first)

    def draw(self, state: State, way: Way, noise: TensorNoise) -> Drawing:
        """The next step of each row, drawn where the network is."""
        return self.distribution.draw(state.outputs, way, noise)

    def follow(self, state: State, steps: Tensor) -> State:
        """The state after `steps` (B,) or (B, V)."""
        kind = torch.int64 if self.spec.kind is Kind.TOKENS else state.outputs.dtype
        inputs = steps.to(state.outputs.device, kind)
        conditions = {name: index[:, None] for name, index in state.conditions.items()}
        outputs, parts = self(inputs[:, None], state.parts, None, conditions)
        return _Playing(parts, outputs[:, 0].float(), state.conditions)

    @torch.no_grad()
    def observe(self, state: State, steps: NDArray[Any], active: Bools | None = None) -> State:
        after = self.follow(state, torch.as_tensor(np.asarray(steps), device=self.device))
        if active is None:
            return after
        keep = torch.as_tensor(active, device=self.device)
        parts = tuple(
            torch.where(keep.view(1, -1, *[1] * (new.dim() - 2)), new, old)
            for new, old in zip(after.parts, state.parts, strict=True)
        )
        return _Playing(parts, torch.where(keep[:, None], after.outputs, state.outputs), state.conditions)

    def sample(self, state: State, how: How, noise: Noise) -> Drawn:
        chain = self.distribution.chain()
        if chain is None:
            return self.runner.sample(state, how, noise)
        return chain.draw(state.outputs.cpu().numpy(), how, noise)

    def run(self, state: State, how: How, noise: Onward, steps: int) -> tuple[Drawn, State]:
        """As in Running; frames that are drawn on the host go there and back one by one."""
        if self.distribution.chain() is None:
            return self.runner.run(state, how, noise, steps)
        return stepwise(self, state, how, noise, steps)

    def select(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        index = torch.as_tensor(np.array(rows), device=self.device)
        if fresh is not None:
            count = len(state.outputs)
            index = torch.where(index < 0, count, index)
            state = _Playing(
                tuple(torch.cat(pair, 1) for pair in zip(state.parts, fresh.parts, strict=True)),
                torch.cat([state.outputs, fresh.outputs]),
                {name: torch.cat([value, fresh.conditions[name]]) for name, value in state.conditions.items()},
            )
        conditions = {name: value[index] for name, value in state.conditions.items()}
        return _Playing(tuple(part[:, index] for part in state.parts), state.outputs[index], conditions)

    def score(self, state: State, steps: NDArray[Any]) -> Floats:
        given = torch.as_tensor(np.asarray(steps), device=state.outputs.device)
        return np.asarray(-self.distribution.nats(state.outputs, given).detach().cpu())


@dataclass(frozen=True, slots=True, eq=False)
class _Playing:
    """The state of a StepwiseNetwork while it plays: `parts` (layers, B, ...), `outputs` (B, O), `conditions` (B,)."""

    parts: tuple[Tensor, ...]
    outputs: Tensor
    conditions: Mapping[str, Tensor]
