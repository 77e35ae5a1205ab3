"""Interface of networks: torch modules that train on batches and can also generate.

`composer.toolkit.models.stepwise_torch` has a base class for networks with one output vector per step,
`composer.toolkit.models.embedded_torch` one that also embeds the input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from composer.api.errors import PluginError, Unsupported
from composer.api.gradient_checkpointing import GradientCheckpointing
from composer.api.sampler import State
from composer.api.sampling.filters import BatchSamplingParams, Bools, Draw, Floats, Ints, StepRNG

__all__ = ["Batch", "Loss", "Measurement", "Network", "Phase"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A window of B streams, T steps long.

    `inputs` and `targets`: token ids (B, T), int64, or frames (B, T, V), float of 0 and 1. `inputs` are the targets of
    one step earlier; a piece's first input is the end symbol or an empty frame. `weight` (B, T): 1, or 0 for padding.
    `reset` (B, T): true at a piece's first step, to clear the state. `conditions`: for each condition, the index of
    its value (B, T), int64, -1 for none. `features` (B, T, F), int64: the position features of the steps in `targets`,
    or None if the spec has none.
    """

    inputs: Tensor
    targets: Tensor
    weight: Tensor
    reset: Tensor
    conditions: Mapping[str, Tensor] = field(default_factory=dict)
    features: Tensor | None = None

    def slice_time(self, start: int, stop: int) -> Batch:
        """Return the window's steps from `start` to `stop - 1`."""
        cut = self.map(lambda tensor: tensor[:, start:stop])
        return replace(cut, reset=cut.reset.clone())

    def map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with `function` applied to each of its tensors."""
        return Batch(
            function(self.inputs),
            function(self.targets),
            function(self.weight),
            function(self.reset),
            {name: function(value) for name, value in self.conditions.items()},
            None if self.features is None else function(self.features),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Means over counted steps, scalars: the `objective` to minimize, and the detached `monitor` to report, in nats."""

    objective: Tensor
    monitor: Tensor


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric summed over `count` steps: `total` in `unit`. Adding two measurements pools them."""

    total: float = 0.0
    count: float = 0.0
    unit: str = "nats"
    stderr: float = 0.0

    def __add__(self, other: Measurement) -> Measurement:
        stderr = float(np.hypot(self.stderr, other.stderr))
        return Measurement(self.total + other.total, self.count + other.count, other.unit, stderr)

    @property
    def mean(self) -> float:
        """Mean per step; nan if no step was counted."""
        return self.total / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of training. `epochs` and `lr`, if given, override those of the run.

    Without `gradient`, no optimizer changes the network: `loss` itself does, as by counting, while the network is in
    training mode. All rows of a batch then go through the network at once, in a single process.
    """

    name: str = "train"
    epochs: int | None = None
    lr: float | None = None
    gradient: bool = True


class Network(GradientCheckpointing, nn.Module, ABC):
    """A torch module that trains on batches and, as a Sampler, generates on its own device.

    Weights are saved as arrays under their names in `state_dict()`. A layer cannot have the name of a method, such as
    `loss` or `sample`: setting it raises PluginError.
    """

    phase = "train"

    on_progress: Callable[[float], object] | None = None
    """If set, a `likelihood` that takes long calls it with the share of the batch that is done, from 0 to 1."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module | nn.Parameter) and hasattr(type(self), name):
            # torch would keep both, and the attribute would still be the method
            raise PluginError(
                f"{type(self).__name__} has a layer called `{name}`, which is the name of a method or class attribute",
                f"rename the layer, such as to `{name}_layer`",
            )
        super().__setattr__(name, value)

    def phases(self) -> Sequence[Phase]:
        """Return the training phases in order; fine-tuning (`--from`) runs only the last."""
        return (Phase(),)

    def start_phase(self, phase: Phase) -> None:
        """Called when a phase begins; `loss` may depend on the phase."""
        self.phase = phase.name

    @abstractmethod
    def loss(self, batch: Batch, state: State | None) -> tuple[Loss, State]:
        """Return the loss on `batch` and the detached state for the next window; `state` is None at a stream's start.

        The state is saved with the training run: tensors in tuples, lists and dicts.
        """

    @abstractmethod
    def evaluate(self, batch: Batch, state: State | None) -> tuple[Measurement, State]:
        """Return the reported metric, by which the best checkpoint is chosen; lower is better."""

    def likelihood(self, batch: Batch, state: State | None, effort: int = 1) -> tuple[Measurement, State]:
        """Return the negative log-likelihood in nats, by default `evaluate`, for networks whose metric is exact.

        An estimate has a standard error; `effort` multiplies the work.
        """
        return self.evaluate(batch, state)

    def hidden_states(self, batch: Batch, state: State | None) -> tuple[Tensor, State]:
        """Return the activations (B, T, U) of U hidden units after each of the inputs, and the next window's state.

        They are what the network remembers of a piece so far, for `show --units`, `similar` and `map`. By default
        raises Unsupported.
        """
        raise Unsupported(f"{type(self).__name__} has no hidden states to show")

    @abstractmethod
    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> State:
        """As in Sampler."""

    @abstractmethod
    def advance(
        self, state: State, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> State:
        """As in Sampler."""

    @abstractmethod
    def sample(self, state: State, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        """As in Sampler."""

    @abstractmethod
    def gather_rows(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        """As in Sampler."""

    def log_prob(self, state: State, steps: NDArray[Any]) -> Floats:
        """As in Sampler."""
        raise Unsupported(f"{type(self).__name__} has no exact probability of a step")

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device
