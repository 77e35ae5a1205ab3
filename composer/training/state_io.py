"""The state that a network carries from one sequence to the next, as arrays and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from composer.api import PluginError

if TYPE_CHECKING:
    import torch

STATE_PREFIX = "state/"


def as_array(tensor: torch.Tensor) -> Any:
    """Return a tensor as an array; bf16, which numpy lacks, as fp32, which holds its values exactly."""
    import torch

    value = tensor.detach().cpu()
    return (value.float() if value.dtype is torch.bfloat16 else value).numpy()


def flatten(value: Any, arrays: dict[str, Any], owner: str) -> Any:
    """Return `value` as JSON and put its tensors into `arrays` under `state/N`. Raises PluginError naming `owner`."""
    import torch

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        name = str(sum(key.startswith(STATE_PREFIX) for key in arrays))
        arrays[STATE_PREFIX + name] = as_array(value)
        return {"tensor": name, "dtype": str(value.dtype).removeprefix("torch.")}
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [flatten(item, arrays, owner) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": {str(key): flatten(item, arrays, owner) for key, item in value.items()}}
    raise PluginError(
        f"`{owner}` has a {type(value).__name__} in its state, which cannot be saved",
        "its author should use tensors in tuples, lists and dicts",
    )


def state_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays that `flatten` added, as `unflatten` takes them."""
    return {name.removeprefix(STATE_PREFIX): array for name, array in arrays.items() if name.startswith(STATE_PREFIX)}


def unflatten(value: Any, arrays: Mapping[str, Any], device: str, *, precision: str = "bf16") -> Any:
    """Undo `flatten`, with the tensors on `device`; without bf16 tensors if the `precision` is `fp32`."""
    import torch

    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        dtype = getattr(torch, value["dtype"])
        if precision == "fp32" and dtype is torch.bfloat16:
            dtype = torch.float32
        return torch.from_numpy(arrays[value["tensor"]].copy()).to(device, dtype)
    [(kind, content)] = value.items()
    if kind == "dict":
        return {key: unflatten(item, arrays, device, precision=precision) for key, item in content.items()}
    items: Sequence[Any] = [unflatten(item, arrays, device, precision=precision) for item in content]
    return tuple(items) if kind == "tuple" else items
