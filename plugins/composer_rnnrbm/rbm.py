"""Restricted Boltzmann machine (RBM), for many frames at once. With v (N, V) visible and h (N, H) hidden units:

    E(v, h) = - bv v - bh h - h W v                    p(v, h) = exp(-E(v, h)) / Z
    F(v)    = - bv v - sum_j softplus(bh + W v)_j      p(v)    = exp(-F(v)) / Z
    p(h = 1 | v) = sigmoid(bh + W v)                   p(v = 1 | h) = sigmoid(bv + h W)

W is (H, V). Each frame has its own biases bv (N, V) and bh (N, H), or all share one (V,) and (H,).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from composer.api.sampling.torch_filters import TorchFrameRules, TorchSamplingParams
from composer.api.sampling.torch_rng import TorchStepRNG

SMALLEST = 2.0**-24
"""Minimum distance of uniform numbers from 0 and 1, as in `composer_rnnrbm.gibbs_chain`."""


def free_energy(v: Tensor, W: Tensor, bv: Tensor, bh: Tensor) -> Tensor:
    """Return F(v) of each frame (N,)."""
    return -(v * bv).sum(-1) - F.softplus((F.linear(v, W) + bh).float()).sum(-1)


@torch.no_grad()
def gibbs(v: Tensor, W: Tensor, bv: Tensor, bh: Tensor, k: int) -> Tensor:
    """Return the frames (N, V) after `k` Gibbs steps from `v`, all chains in parallel.

    A unit is on if a uniform number is below its probability. Preallocated buffers make this five times as fast as
    `torch.bernoulli`.
    """
    v, h = v.clone(), v.new_empty(len(v), len(W))
    prob_h, prob_v = torch.empty_like(h), torch.empty_like(v)
    uniform_h, uniform_v = torch.empty_like(h), torch.empty_like(v)
    for _ in range(k):
        torch.addmm(bh, v, W.T, out=prob_h).sigmoid_()
        torch.lt(uniform_h.uniform_(), prob_h, out=h)
        torch.addmm(bv, h, W, out=prob_v).sigmoid_()
        torch.lt(uniform_v.uniform_(), prob_v, out=v)
    return v


def thresholds(bv: Tensor, bh: Tensor, params: TorchSamplingParams, rng: TorchStepRNG, k: int) -> tuple[Tensor, Tensor]:
    """Return the thresholds above which units are on: hidden (k, B, H) for W v, visible (k - 1, B, V) for h W.

    `composer_rnnrbm.gibbs_chain` explains them and computes the same in numpy.
    """
    (rows, units), size = bh.shape, bv.shape[1]
    split = k * units
    numbers = _logistic(rng, rows, split + (k - 1) * size)
    if not params.is_default:
        numbers = numbers * params.temperature[:, None]
    numbers = numbers.to(bv)
    hidden = numbers[:, :split].reshape(rows, k, units).transpose(0, 1) - bh
    visible = numbers[:, split:].reshape(rows, k - 1, size).transpose(0, 1) - bv
    if isinstance(params.rule, TorchFrameRules):
        off, on = params.rule.must_be_off.to(bv.device), params.rule.must_be_on.to(bv.device)
        visible = visible.masked_fill(off, torch.inf).masked_fill(on, -torch.inf)
    return hidden, visible


def _logistic(rng: TorchStepRNG, rows: int, n: int) -> Tensor:
    """Return logits of uniform numbers, (rows, n). Each number of `rng` has enough bits for two."""
    scaled = rng.uniform(rows, (n + 1) // 2) * 2.0**26
    upper = scaled.floor()
    both = torch.cat([upper * 2.0**-26, scaled - upper], 1)[:, :n].float().clamp(SMALLEST, 1 - SMALLEST)
    return (both / (1 - both)).log()
