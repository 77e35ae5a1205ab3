"""Sample whole frames from candidates in torch: `joint_frames`, which explains it, on a device."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from composer.api.sampling.joint_frames import LOWEST_TEMPERATURE

__all__ = ["TorchTruncation", "candidate_keys", "first_occurrences", "gumbel"]


class TorchTruncation(NamedTuple):
    """`composer.api.sampling.joint_frames.Truncation` with tensors."""

    top_k: Tensor
    top_p: Tensor
    min_p: Tensor

    def keep(self, probs: Tensor, density: Tensor) -> Tensor:
        """Return which of the items (B, V) are kept."""
        size = probs.shape[1]
        dense, order = density.sort(stable=True, dim=1, descending=True)
        ranked = probs.gather(1, order)
        keep = torch.arange(size, device=probs.device) < torch.where(self.top_k > 0, self.top_k, size)[:, None]
        ranked = torch.where(keep, ranked, 0)
        before = ranked.cumsum(1) - ranked
        keep = keep & (before < self.top_p[:, None] * ranked.sum(1, keepdim=True))
        keep = keep & (dense >= self.min_p[:, None] * dense[:, :1])
        keep[:, 0] = True
        return torch.zeros_like(keep).scatter_(1, order, keep)


def candidate_keys(
    logp: Tensor,
    logq: Tensor,
    valid: Tensor,
    temperature: Tensor,
    truncation: TorchTruncation | None,
    noise: Tensor,
) -> Tensor:
    """Return keys (B, M) of candidates, the highest of which is a draw."""
    logp, logq, draws = logp.double(), logq.double(), logp.shape[1] - 1
    density = (logp / temperature.clamp(min=LOWEST_TEMPERATURE)[:, None]).masked_fill(~valid, -torch.inf)
    q = logq.clamp(max=-1e-12).exp()
    some = (-torch.expm1(draws * torch.log1p(-q)) + 1e-300).log()
    found = torch.where(q > 1e-9, some, float(np.log(draws)) + logq)
    found[:, 0] = 0
    weights = density - found
    if truncation is not None:
        probs = (weights - weights.amax(1, keepdim=True)).exp()
        dense = (density - density.amax(1, keepdim=True)).exp()
        weights = weights.masked_fill(~truncation.keep(probs, dense), -torch.inf)
    return torch.where(temperature[:, None] > 0, weights + noise, logp.masked_fill(~valid, -torch.inf))


def first_occurrences(frames: Tensor) -> Tensor:
    """Return which of the candidates (B, M, V) differ from all before them in their row: (B, M)."""
    units, count = frames.float(), frames.shape[1]
    shared, counts = units @ units.transpose(1, 2), units.sum(2)
    same = (shared == counts[:, :, None]) & (shared == counts[:, None, :])
    return ~(same & torch.ones(count, count, dtype=torch.bool, device=frames.device).tril(-1)).any(2)


def gumbel(numbers: Tensor) -> Tensor:
    """Return Gumbel numbers from uniform ones."""
    return -(-numbers.clamp(min=1e-300).log()).log()
