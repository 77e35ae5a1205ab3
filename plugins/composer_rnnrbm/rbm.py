"""Restricted Boltzmann machine (RBM), for many frames at once. With v (N, V) visible and h (N, H) hidden units:

    E(v, h) = - bv v - bh h - h W v                    p(v, h) = exp(-E(v, h)) / Z
    F(v)    = - bv v - sum_j softplus(bh + W v)_j      p(v)    = exp(-F(v)) / Z
    p(h = 1 | v) = sigmoid(bh + W v)                   p(v = 1 | h) = sigmoid(bv + h W)

W is (H, V). Each frame has its own biases bv (N, V) and bh (N, H), or all share one (V,) and (H,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from composer.api.sampling.joint_frames import LOWEST_TEMPERATURE
from composer.api.sampling.torch_filters import TorchFrameRules, TorchSamplingParams
from composer.api.sampling.torch_joint_frames import candidate_keys, first_occurrences, gumbel
from composer.api.sampling.torch_rng import TorchStepRNG, fixed_rng, logistic


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
    numbers = logistic(rng, rows, split + (k - 1) * size)
    if not params.is_default:
        if not params.per_unit:
            fixed = logistic(fixed_rng(numbers.device), 1, numbers.shape[1])
            numbers = torch.where(params.is_greedy[:, None], fixed, numbers)
        numbers = numbers * proposal_temperature(params)[:, None]
    numbers = numbers.to(bv)
    hidden = numbers[:, :split].reshape(rows, k, units).transpose(0, 1) - bh
    visible = numbers[:, split:].reshape(rows, k - 1, size).transpose(0, 1) - bv
    if isinstance(params.rule, TorchFrameRules):
        off, on = params.rule.must_be_off.to(bv.device), params.rule.must_be_on.to(bv.device)
        visible = visible.masked_fill(off, torch.inf).masked_fill(on, -torch.inf)
    return hidden, visible


def proposal_temperature(params: TorchSamplingParams) -> Tensor:
    """Return the temperature (B,) of the half-steps; `composer_rnnrbm.gibbs_chain` explains it."""
    return params.temperature if params.per_unit else params.temperature.clamp(min=1)


def log_weight(v: Tensor, x: Tensor, bv: Tensor, params: TorchSamplingParams) -> Tensor:
    """Return log(p(v)^(1/T) / q(v)) (B,) of frames v (B, V) with x = bh + W v (B, H), up to a constant."""
    temperature = _target_temperature(params).to(v)[:, None]
    proposal = proposal_temperature(params).to(v)[:, None]
    hidden = F.softplus(x) / temperature - F.softplus(x / proposal)
    return ((v * bv).sum(1, keepdim=True) * (1 / temperature - 1 / proposal) + hidden.sum(1, keepdim=True))[:, 0]


def _target_temperature(params: TorchSamplingParams) -> Tensor:
    """Return T (B,), which is low for greedy rows."""
    low = params.temperature.clamp(min=LOWEST_TEMPERATURE)
    return torch.where(params.is_greedy, LOWEST_TEMPERATURE, low)


def last_half_step(params: TorchSamplingParams) -> TorchSamplingParams:
    """Return the parameters of the last half-step: without filters, at the temperature of the others."""
    temperature = torch.where(params.is_greedy, 0, proposal_temperature(params))
    return replace(params, temperature=temperature, has_filters=False)


def filtered(visited: Sequence[tuple[Tensor, Tensor]], params: TorchSamplingParams, rng: TorchStepRNG) -> Tensor:
    """Return one of the distinct frames `visited` per row, each (B, V) with -F(v) (B,), by temperature and filters."""
    frames, logp = (torch.stack(each, 1).to(params.temperature.device) for each in zip(*visited, strict=True))
    rows, count = logp.shape
    temperature = torch.where(params.is_greedy, 0, params.temperature)
    noise = gumbel(rng.uniform(rows, count))
    keys = candidate_keys(
        logp, torch.zeros_like(logp), first_occurrences(frames), temperature, params.truncation, noise
    )
    return frames.gather(1, keys.argmax(1)[:, None, None].expand(-1, 1, frames.shape[2]))[:, 0]
