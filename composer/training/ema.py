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

__all__ = ["Average"]


class Average:
    """An exponential average of all that is real-valued in the `state_dict` of `network`; first, what is there now."""

    def __init__(self, network: nn.Module, share: float) -> None:
        """`share` is how much of the old is kept at each step."""
        self.network, self.share = network, share
        self.values = {name: tensor.clone() for name, tensor in self._now().items()}

    def add(self, steps: int) -> None:
        """Count in the weights after `steps` steps. At first less of the old is kept, so that no beginning lasts."""
        import torch

        share = min(self.share, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(list(self.values.values()), list(self._now().values()), 1 - share)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network its average for as long as this lasts."""
        own = {name: tensor.clone() for name, tensor in self._now().items()}
        self._give(self.values)
        try:
            yield
        finally:
            self._give(own)

    def restore(self, values: Mapping[str, torch.Tensor]) -> None:
        """Take up an average that was saved."""
        for name, tensor in self.values.items():
            tensor.copy_(values[name])

    def _now(self) -> dict[str, torch.Tensor]:
        return {name: each for name, each in self.network.state_dict().items() if each.is_floating_point()}

    def _give(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._now().items():
            tensor.copy_(values[name])
