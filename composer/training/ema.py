"""Exponential moving average of the weights, which is validated and saved instead of them (Polyak and Juditsky 1992).

The average lies nearer to the minimum than the oscillating weights, as after a much lower learning rate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


class EMA:
    """Exponential moving average of the floating-point tensors in the `state_dict` of `network`, from now on."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        """`decay` is the weight of the old average at each update."""
        self.network, self.decay = network, decay
        self.values = {name: tensor.clone() for name, tensor in self._current().items()}

    def update(self, updates: int) -> None:
        """Add the weights after `updates` updates. The decay is lower at first, so that initial weights fade fast."""
        import torch

        decay = min(self.decay, (1 + updates) / (10 + updates))
        if self.values:  # a network may have only integers
            torch._foreach_lerp_(list(self.values.values()), list(self._current().values()), 1 - decay)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Use the average as the network's weights within the context."""
        weights = {name: tensor.clone() for name, tensor in self._current().items()}
        self._load(self.values)
        try:
            yield
        finally:
            self._load(weights)

    def restore(self, values: Mapping[str, torch.Tensor]) -> None:
        """Continue a saved average. Raises KeyError or ValueError for one of another network."""
        for name, tensor in self.values.items():
            if values[name].shape != tensor.shape:
                raise ValueError(f"the average of `{name}` has the shape {tuple(values[name].shape)}")
            tensor.copy_(values[name])

    def _current(self) -> dict[str, torch.Tensor]:
        return {name: tensor for name, tensor in self.network.state_dict().items() if tensor.is_floating_point()}

    def _load(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._current().items():
            tensor.copy_(values[name])
