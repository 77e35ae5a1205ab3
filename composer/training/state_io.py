"""What a network carries from window to window, as arrays and JSON, so that it can be saved or told to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from composer.api import PluginError

if TYPE_CHECKING:
    import torch

STATE_PREFIX = "state/"


def as_array(tensor: torch.Tensor) -> Any:
    """A tensor as an array; bf16, which numpy lacks, as fp32, which holds its values exactly."""
    import torch

    value = tensor.detach().cpu()
    return (value.float() if value.dtype is torch.bfloat16 else value).numpy()


def flatten(value: Any, arrays: dict[str, Any], owner: str) -> Any:
    """`value` as JSON, its tensors put into `arrays` under `state/N`. Raises PluginError."""
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
        f"`{owner}` carries a {type(value).__name__} from window to window, which cannot be saved",
        "its author should make it of tensors in tuples, lists and dicts",
    )


def state_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that `flatten` put there, as `unflatten` wants them."""
    return {name.removeprefix(STATE_PREFIX): array for name, array in arrays.items() if name.startswith(STATE_PREFIX)}


def to_bytes(arrays: Mapping[str, Any], text: str) -> bytes:
    """Named arrays and a text, to be told to another process."""
    import numpy as np
    from safetensors.numpy import save

    described = text.encode()
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return len(described).to_bytes(8, "little") + described + save(contiguous)


def from_bytes(data: bytes) -> tuple[dict[str, Any], str]:
    """Undo `to_bytes`."""
    from safetensors.numpy import load

    end = 8 + int.from_bytes(data[:8], "little")
    return load(data[end:]), data[8:end].decode()


def unflatten(value: Any, arrays: Mapping[str, Any], device: str) -> Any:
    """Undo `flatten`; `arrays` are by their numbers, and the tensors go to `device`."""
    import torch

    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return torch.from_numpy(arrays[value["tensor"]].copy()).to(device, getattr(torch, value["dtype"]))
    kind, inside = next(iter(value.items()))
    if kind == "dict":
        return {key: unflatten(item, arrays, device) for key, item in inside.items()}
    items: Sequence[Any] = [unflatten(item, arrays, device) for item in inside]
    return tuple(items) if kind == "tuple" else items
