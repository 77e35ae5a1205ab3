"""Base class of networks whose next step depends on one output vector, with training and generation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from composer.api.network import Batch, Loss, Measurement, Network
from composer.api.sampler import State
from composer.api.sampling.filters import BatchSamplingParams, Bools, Draw, Floats, Ints, RNGStream, StepRNG
from composer.api.sampling.torch_filters import TorchDraw, TorchSamplingParams
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.device_loop import DeviceLoop, run_on_host
from composer.toolkit.models.outputs import Distribution, default_distribution

__all__ = ["StepwiseNetwork"]


class StepwiseNetwork(Network):
    """A network with one output vector per step, from which `distribution` gives the probabilities of the next step.

    By default that is a softmax over tokens or a sigmoid per unit. Subclasses implement `forward` and
    `initial_layer_states`; a state is a tuple of tensors (layers, B, ...), rows on the second axis.
    """

    def __init__(self, spec: SequenceSpec, distribution: Distribution | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.distribution = default_distribution(spec) if distribution is None else distribution
        self.device_loop = DeviceLoop(self)

    @abstractmethod
    def initial_layer_states(self, rows: int) -> tuple[Tensor, ...]:
        """Return the state before a piece, for `rows` rows."""

    @abstractmethod
    def forward(
        self,
        inputs: Tensor,
        state: tuple[Tensor, ...],
        reset: Tensor | None,
        conditions: Mapping[str, Tensor],
        features: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return outputs (B, T, O) for the steps after `inputs` (B, T) or (B, T, V), and the state after the last.

        For the default distributions, outputs are logits and O is V. Where `reset` (B, T) is true, the state returns to
        `initial_layer_states` before the input is read. `features` (B, T, F) are the position features of the steps
        after `inputs`, given only if the spec has any.
        """

    def drop_conditions(self, batch: Batch) -> Batch:
        """Return the window with some conditions hidden, chosen once for all its steps; by default none."""
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
        """Negative log-likelihood (B, T) in nats, 0 for padding; a frame's is summed over its units."""
        state = self.initial_layer_states(len(batch.inputs)) if state is None else state
        batch, losses = self.drop_conditions(batch), []
        for chunk in self.chunks(batch.inputs.shape[1]):
            part = batch.slice_time(chunk.start, chunk.stop)
            nats, state = self.checkpointed(self._nll_of_chunk, part, state)
            losses.append(nats)
        return torch.cat(losses, 1), state

    def _nll_of_chunk(self, batch: Batch, state: State) -> tuple[Tensor, State]:
        features = () if batch.features is None else (batch.features,)
        outputs, state = self(batch.inputs, state, batch.reset, batch.conditions, *features)
        return self.distribution.nll(outputs.float(), batch.targets) * batch.weight, state

    @torch.no_grad()
    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> State:
        rows = len(conditions)
        first = np.full(rows, self.spec.end) if self.spec.kind is StepKind.TOKENS else np.zeros((rows, self.spec.size))
        indices = {
            name: torch.tensor(
                [values.index(row[name]) if name in row else -1 for row in conditions], device=self.device
            )
            for name, values in self.spec.conditions.items()
        }
        outputs = torch.zeros(rows, self.distribution.outputs, device=self.device)
        return self.advance(_SamplerState(self.initial_layer_states(rows), outputs, indices), first, None, features)

    def draw(self, state: State, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """Draw the next step of each row, on the network's device."""
        return self.distribution.draw(state.outputs, params, rng)

    def advance_on_device(self, state: State, steps: Tensor, features: Tensor | None = None) -> State:
        """Return the state after `steps` (B,) or (B, V), with the `features` (B, F) of the steps that come next."""
        kind = torch.int64 if self.spec.kind is StepKind.TOKENS else state.outputs.dtype
        inputs = steps.to(state.outputs.device, kind)
        conditions = {name: index[:, None] for name, index in state.conditions.items()}
        following = () if features is None else (features[:, None],)
        outputs, parts = self(inputs[:, None], state.layers, None, conditions, *following)
        return _SamplerState(parts, outputs[:, 0].float(), state.conditions)

    @torch.no_grad()
    def advance(
        self, state: State, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> State:
        following = None if features is None else torch.as_tensor(np.asarray(features), device=self.device)
        after = self.advance_on_device(state, torch.as_tensor(np.asarray(steps), device=self.device), following)
        if active is None:
            return after
        keep = torch.as_tensor(active, device=self.device)
        parts = tuple(
            torch.where(keep.view(1, -1, *[1] * (new.dim() - 2)), new, old)
            for new, old in zip(after.layers, state.layers, strict=True)
        )
        return _SamplerState(parts, torch.where(keep[:, None], after.outputs, state.outputs), state.conditions)

    def sample(self, state: State, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        host_sampler = self.distribution.host_sampler()
        if host_sampler is None:
            return self.device_loop.sample(state, params, rng)
        return host_sampler.draw(state.outputs.cpu().numpy(), params, rng)

    def run(self, state: State, params: BatchSamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, State]:
        """As in BlockSampler; distributions that draw on the host transfer every step."""
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
        targets = torch.as_tensor(np.asarray(steps), device=state.outputs.device)
        return np.asarray(self.distribution.log_prob(state.outputs, targets).detach().cpu())


@dataclass(frozen=True, slots=True, eq=False)
class _SamplerState:
    """State while generating: `layers` (layers, B, ...), `outputs` (B, O) and `conditions` (B,)."""

    layers: tuple[Tensor, ...]
    outputs: Tensor
    conditions: Mapping[str, Tensor]
