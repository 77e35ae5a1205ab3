"""Dropout with fast random numbers on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Dropout", "drop"]

_LEVELS = 1 << 16
"""Rates are rounded to multiples of 1 / _LEVELS."""


class Dropout(nn.Module):
    """`nn.Dropout` with the faster `drop`."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, inputs: Tensor) -> Tensor:
        return drop(inputs, self.rate) if self.training else inputs


def drop(inputs: Tensor, rate: float) -> Tensor:
    """Return `inputs`, of any shape, with a `rate` of them zeroed and the rest scaled up (Srivastava et al. 2014).

    On the CPU, one 64-bit random number serves four units. This takes a quarter of the time of `F.dropout`, which on
    one core takes a tenth of a whole training update.
    """
    dropped = round(rate * _LEVELS)
    if inputs.device.type != "cpu":
        return F.dropout(inputs, rate)
    if not 0 < dropped < _LEVELS:
        return inputs if dropped == 0 else inputs * 0
    words = torch.randint(-(2**63), 2**63 - 1, (-(-inputs.numel() // 4),))
    kept = words.view(torch.int16)[: inputs.numel()].view(inputs.shape) >= dropped - _LEVELS // 2
    return inputs * (kept * (_LEVELS / (_LEVELS - dropped))).to(inputs.dtype)
