"""The average of a network's weights as they descend, which is measured and kept in their place (Polyak and Juditsky
1992), the older ones counting less and less.

Descent goes back and forth across a valley; the mean of where it has been lies nearer to the bottom than any of its
steps, as after a much lower learning rate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["EMA"]


class EMA:
    """An exponential average of all that is real-valued in the `state_dict` of `network`; first, what is there now."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        """`decay` is how much of the old is kept at each step."""
        self.network, self.decay = network, decay
        self.values = {name: tensor.clone() for name, tensor in self._current().items()}

    def update(self, updates: int) -> None:
        """Count in the weights after `updates` steps. At first less of the old is kept, so that no beginning lasts."""
        import torch

        share = min(self.decay, (1 + updates) / (10 + updates))
        torch._foreach_lerp_(list(self.values.values()), list(self._current().values()), 1 - share)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Give the network its average for as long as this lasts."""
        own = {name: tensor.clone() for name, tensor in self._current().items()}
        self._load(self.values)
        try:
            yield
        finally:
            self._load(own)

    def restore(self, values: Mapping[str, torch.Tensor]) -> None:
        """Take up an average that was saved."""
        for name, tensor in self.values.items():
            tensor.copy_(values[name])

    def _current(self) -> dict[str, torch.Tensor]:
        return {name: each for name, each in self.network.state_dict().items() if each.is_floating_point()}

    def _load(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._current().items():
            tensor.copy_(values[name])
