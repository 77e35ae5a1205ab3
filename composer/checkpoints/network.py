"""Make the network of a checkpoint, but only if the file holds the weights for all of it, and no more than it may."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, Model, SequenceSpec
from composer.api.limits import limit_hint, raised
from composer.checkpoints.file import MAX_BYTES

if TYPE_CHECKING:
    from composer.api.network import Network

DAMAGED_HINT = "it may be damaged, or made by another version of the plugin; train it again"

SPARE_PARTS, PARTS_PER_WEIGHT = 1000, 8
"""How many modules and tensors a network may have, in addition to so many for each array of weights in its file."""

_RANDOM = {"normal_", "uniform_", "trunc_normal_", "xavier_uniform_", "kaiming_uniform_", "orthogonal_"}
"""Functions that draw the first values of a tensor and return it."""


def make_network(model: Model, spec: SequenceSpec, config: Any, weights: Mapping[str, Any], origin: str) -> Network:
    """Return the network of `config`, without the `weights`, which are those of `load_weights`.

    Raises CheckpointError naming the `origin` of the weights if they are not those of this network.
    """
    check_shapes(model, spec, config, {name: array.shape for name, array in weights.items()}, origin)
    with _at_most_parts_of(len(weights), origin):
        return model.network(spec, config)


def check_shapes(
    model: Model, spec: SequenceSpec, config: Any, shapes: Mapping[str, tuple[int, ...]], origin: str
) -> None:
    """Raise CheckpointError if weights of these shapes are not those of the network, before its memory is taken.

    All names must be equal. A network that cannot be made without memory is not checked.
    """
    try:
        with _without_memory(), _at_most_parts_of(len(shapes), origin):
            network = model.network(spec, config)
            own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
            parameters = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    except CheckpointError:
        raise
    except Exception:  # a plugin may compute with its weights when it makes them
        return
    fixed = parameters & own.keys()
    # buffers may grow in training, as the counts of a Markov chain do
    grown = (name for name in own.keys() & shapes.keys() - fixed if math.prod(own[name]) > math.prod(shapes[name]))
    if own.keys() != shapes.keys() or any(own[name] != tuple(shapes[name]) for name in fixed) or any(grown):
        raise unfit(origin)


def check_file_size(model: Model, spec: SequenceSpec, config: Any) -> None:
    """Raise CheckpointError if the file of a new model would be larger than those that are read.

    No memory is taken. A network that cannot be made without memory is not checked.
    """
    try:
        with _without_memory():
            tensors = model.network(spec, config).state_dict().values()
            size = sum(each.numel() * (2 if each.is_floating_point() else each.itemsize) for each in tensors)
    except Exception:  # a plugin may compute with its weights when it makes them
        return
    if size > (limit := raised(MAX_BYTES)):
        fault = f"the file of this model would have {size // 2**20:,} MB, more than {limit // 2**20:,} MB"
        raise CheckpointError(fault, limit_hint("train a smaller model", size, MAX_BYTES))


def load_weights(network: Network, weights: Mapping[str, Any], origin: str) -> None:
    """Load weights into `network`. Raises CheckpointError naming their `origin` if they do not fit."""
    import torch

    tensors = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise unfit(origin) from error
    own = network.state_dict()
    if not all(torch.equal(own[name].cpu(), each.to(own[name].dtype)) for name, each in tensors.items()):
        raise unfit(origin)  # two names for one tensor, as with tied weights, but two tensors in the file


def unfit(origin: str) -> CheckpointError:
    """Return the error for weights that are not those of the network."""
    return CheckpointError(f"the weights in {origin} do not fit the model", DAMAGED_HINT)


@contextmanager
def _without_memory() -> Iterator[None]:
    """Make networks without memory for their tensors, and without advancing torch's generator."""
    import torch
    from torch.overrides import TorchFunctionMode

    class WithoutValues(TorchFunctionMode):
        """Draw no values: for tensors without memory, that would import `torch._dynamo`, as slow as torch itself."""

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            named = kwargs or {}
            if getattr(function, "__name__", "") in _RANDOM:
                return args[0] if args else named["tensor"]
            return function(*args, **named)

    with torch.random.fork_rng(devices=[]), torch.device("meta"), WithoutValues():
        yield


@contextmanager
def _at_most_parts_of(weights: int, origin: str) -> Iterator[None]:
    """Raise CheckpointError once networks made within have more parts than a file with so many `weights` can have.

    Even without memory for its tensors, a network of a million layers takes gigabytes and minutes.
    """
    from torch.nn.modules import module

    limit, count = SPARE_PARTS + PARTS_PER_WEIGHT * weights, 0

    def add(*part: object) -> None:
        nonlocal count
        count += 1
        if count > limit:
            raise unfit(origin)

    handles = (
        module.register_module_parameter_registration_hook(add),
        module.register_module_buffer_registration_hook(add),
        module.register_module_module_registration_hook(add),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
