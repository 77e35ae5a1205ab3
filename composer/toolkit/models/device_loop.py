"""Generation on a network's device: step by step, or many steps with one transfer at the end.

On CUDA, a step is captured as a graph and replayed: one call instead of about fifty kernel launches, each of which
takes the host longer than the device. Elsewhere, the same step is called repeatedly.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from composer.api.errors import Unsupported
from composer.api.sampler import Sampler, State
from composer.api.sampling.filters import BatchSamplingParams, Draw, RNGStream, StepRNG
from composer.api.sampling.torch_filters import (
    TorchDraw,
    TorchFrameRules,
    TorchSamplingParams,
    sampling_device,
    to_numpy,
)
from composer.api.sampling.torch_rng import HostRNG, TorchCounterRNG, TorchStepRNG
from composer.api.sequence import SequenceSpec

__all__ = ["DeviceLoop", "DeviceSteppable", "GraphedStep", "run_on_host"]

WARM_UP_STEPS = 3
"""Steps before capture, in which libraries select kernels and allocate memory."""


class DeviceSteppable(Protocol):
    """A network that draws and advances on its device. States are tensors in tuples, mappings and dataclasses.

    Neither method changes its arguments. For `run`, neither may synchronize with the device or read tensor values.
    """

    spec: SequenceSpec

    def draw(self, state: State, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """Draw the next step of each row."""
        ...

    def advance_on_device(self, state: State, steps: Tensor) -> State:
        """Return the state after `steps` (B,) or (B, V): tensors of the same shapes, new ones or those of `state`."""
        ...


class DeviceLoop:
    """Generates with a network on its device; buffers and graphs are reused between similar calls."""

    def __init__(self, network: Any) -> None:
        """`network` is a Network that is DeviceSteppable."""
        self._network = network
        self._params: BatchSamplingParams | None = None
        self._torch_params: TorchSamplingParams | None = None
        self._tensor_loop: _TensorLoop | None = None

    @property
    def no_graph_reason(self) -> str:
        """Why steps on a CUDA device do not run as a graph; empty if they do."""
        return self._tensor_loop.steps.no_graph_reason if self._tensor_loop else ""

    @torch.no_grad()
    def sample(self, state: State, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        """As in Sampler: copy rules and random numbers to the device, and steps back."""
        device_rng = HostRNG(rng, sampling_device(self._network.device))
        draw: TorchDraw = self._network.draw(state, self._on_device(params), device_rng)
        return draw.to_numpy()

    @torch.no_grad()
    def run(self, state: State, params: BatchSamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, State]:
        torch_params, device = self._on_device(params), self._network.device
        if torch_params.has_projections:
            raise Unsupported("rules with a projection run on the host")
        with _as_current_device(device):
            inputs = (state, torch_params, TorchCounterRNG.from_stream(rng, steps, sampling_device(device)))
            # a graph depends on the addresses of the weights
            key = [*_signature(inputs), *(weight.data_ptr() for weight in self._network.parameters())]
            if self._tensor_loop is None or self._tensor_loop.key != key:
                self._tensor_loop = None  # free its memory for the next one
                self._tensor_loop = _TensorLoop(self._network, inputs, steps, key)
            return self._tensor_loop.run(inputs)

    def _on_device(self, params: BatchSamplingParams) -> TorchSamplingParams:
        """Return `params` on the device; copies what does not change between steps only once."""
        device, last = sampling_device(self._network.device), self._params
        same = last is not None and all(getattr(last, name) is getattr(params, name) for name in _FILTERS)
        if self._torch_params is None or not same or self._torch_params.temperature.device != device:
            self._params, self._torch_params = params, TorchSamplingParams.from_numpy(params, device)
        elif last is not None and last.temperature is not params.temperature:
            self._params, self._torch_params = params, self._torch_params.with_temperature_of(params)
        if params.rule is None:
            return self._torch_params
        if isinstance(params.rule, np.ndarray):
            return dataclasses.replace(self._torch_params, rule=torch.as_tensor(params.rule, device=device))
        rules = TorchFrameRules.from_rules(params.rule, self._network.spec.size, device)
        return dataclasses.replace(self._torch_params, rule=rules)


def run_on_host(
    sampler: Sampler, state: State, params: BatchSamplingParams, rng: RNGStream, steps: int
) -> tuple[Draw, State]:
    """As in BlockSampler, for a sampler that draws on the host: alternate `sample` and `advance`."""
    draws = []
    for step in range(steps):
        draws.append(sampler.sample(state, params.at_step(step), rng.at_step(step)))
        state = sampler.advance(state, draws[-1].steps)
    columns = ([getattr(draw, name) for draw in draws] for name in ("steps", "logp", "masked_prob"))
    return Draw(*(np.stack(column, axis=1) for column in columns)), state


_FILTERS = ("top_k", "top_p", "min_p")


class _TensorLoop:
    """`length` steps over its own tensors, which each step updates in place, storing what it draws."""

    def __init__(self, network: DeviceSteppable, inputs: Any, length: int, key: Sequence[Any]) -> None:
        self.key, self.length, self._network = key, length, network
        self._state, self._params, self._rng = _map_tensors(inputs, _clone)
        self._step_index = torch.zeros(1, dtype=torch.int64, device=self._rng.keys.device)
        first = self._draw()
        self._draws = [torch.empty(length, *t.shape, dtype=_storage_dtype(t), device=t.device) for t in first]
        self.steps = GraphedStep(self._step, self._step_index.zero_, self._step_index.device)

    def run(self, inputs: Any) -> tuple[Draw, State]:
        for own, source in zip(_tensors((self._state, self._params, self._rng)), _tensors(inputs), strict=True):
            own.copy_(source)
        self._step_index.zero_()
        self.steps(self.length)
        by_row = [each.transpose(0, 1).clone(memory_format=torch.contiguous_format) for each in self._draws]
        return Draw(*to_numpy(*by_row)), _map_tensors(self._state, _clone)

    def _draw(self) -> TorchDraw:
        at = self._step_index
        return self._network.draw(self._state, self._params.at_step(at), self._rng.at_step(at))

    def _step(self) -> None:
        drawn = self._draw()
        after = self._network.advance_on_device(self._state, drawn.steps)
        for buffer, each in zip(self._draws, drawn, strict=True):
            buffer.index_copy_(0, self._step_index, each[None].to(buffer.dtype))
        for own, new in zip(_tensors(self._state), _tensors(after), strict=True):
            if own is not new:
                own.copy_(new)
        self._step_index += 1


class GraphedStep:
    """A `step` without arguments that updates tensors in place, to be called many times.

    Captured as a graph on CUDA; if that fails, `no_graph_reason` says why, and the step is called normally.
    """

    def __init__(self, step: Callable[[], object], reset: Callable[[], object], device: torch.device) -> None:
        """`reset` is called before each warm-up step."""
        self._step, self.no_graph_reason = step, ""
        if device.type != "cuda":
            return
        try:
            self._step = capture_graph(step, reset, device)
        except RuntimeError as error:
            self.no_graph_reason = str(error).partition("\n")[0] or type(error).__name__

    def __call__(self, times: int) -> None:
        for _ in range(times):
            self._step()


def capture_graph(
    step: Callable[[], object], reset: Callable[[], object], device: torch.device
) -> Callable[[], object]:  # pragma: no cover - needs CUDA
    """Capture `step` as a CUDA graph, and return its replay. Raises RuntimeError if it cannot be captured."""
    current, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    side.wait_stream(current)
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_STEPS):
            reset()
            step()
    current.wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _as_current_device(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Return a context with `device` as the current one, which graphs belong to."""
    return torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()


def _storage_dtype(tensor: Tensor) -> torch.dtype:
    """Return the type to buffer a tensor in: token ids fit into half of their bytes."""
    return torch.int32 if tensor.dtype == torch.int64 else tensor.dtype


def _clone(tensor: Tensor) -> Tensor:
    return tensor.clone()


def _map_tensors(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Apply `function` to each tensor in nested tuples, lists, mappings and dataclasses."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {name: _map_tensors(each, function) for name, each in value.items()}
    if isinstance(value, tuple | list):
        items = [_map_tensors(each, function) for each in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _map_tensors(getattr(value, each.name), function) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the tensors and other values that `_map_tensors` visits, in its order."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = tuple(getattr(value, each.name) for each in dataclasses.fields(value))
    if not isinstance(value, tuple | list):
        yield value
        return
    for each in value:
        yield from _leaves(each)


def _tensors(value: Any) -> list[Tensor]:
    return [each for each in _leaves(value) if isinstance(each, Tensor)]


def _signature(value: Any) -> list[Any]:
    """Return what two values must have in common to use the same graph: everything but tensor contents."""
    return [(each.shape, each.dtype) if isinstance(each, Tensor) else each for each in _leaves(value)]
