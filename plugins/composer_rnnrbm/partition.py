"""Log Z of each frame's Boltzmann machine: counted out where that is small, else by annealed importance sampling.

Salakhutdinov and Murray, On the quantitative analysis of deep belief networks, 2008. From a machine whose units are
independent to the one asked for in small steps of b from 0 to 1, all of whose machines have the energy

    E_b(v, h) = - ((1 - b) base + b bv) v - bh h - b h W v

where the base's visible biases are those of a mean-field solution of the frame's own machine. A chain v_1 ... v_K goes
through them, and its weight is the product of the ratios of p*_b(v_b) = exp(-F_b(v_b)) at two neighbouring b. The mean
of the weights is Z / Z_base, without bias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

MOST_COUNTED = 10
"""Machines with so many units in their smaller layer are counted out."""

MEAN_FIELD_STEPS = 10

MOST_NUMBERS = 2**21
"""How many numbers a layer of all chains may have at a time."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How closely to look: `steps` from the base to the machine, `chains` of each frame.

    With `shared` noise, which is the same in all frames and at each call, a frame's estimate depends on nothing but
    its biases; else frames err independently of one another.
    """

    steps: int
    chains: int
    shared: bool = False


def log_partition(W: Tensor, bv: Tensor, bh: Tensor, effort: Effort) -> tuple[Tensor, Tensor]:
    """Log Z (N,) in nats of machines with biases `bv` (N, V) and `bh` (N, H), and the variance of each estimate."""
    if min(W.shape) <= MOST_COUNTED:
        counted = counted_out(W, bv, bh)
        return counted, torch.zeros_like(counted)
    rows = max(1, MOST_NUMBERS // (effort.chains * max(W.shape)))
    parts = [annealed(W, *biases, effort) for biases in zip(torch.split(bv, rows), torch.split(bh, rows), strict=True)]
    log_z, variance = (torch.cat(part) for part in zip(*parts, strict=True))
    return log_z, variance


def counted_out(W: Tensor, bv: Tensor, bh: Tensor) -> Tensor:
    """Log Z (N,), exactly: the sum over all states of the smaller layer."""
    if W.shape[0] > W.shape[1]:
        W, bv, bh = W.T, bh, bv
    units = len(W)
    states = torch.arange(2**units, device=W.device)
    log_z = torch.full((len(bv),), -math.inf, dtype=torch.float64, device=W.device)
    for some in torch.split(states, max(1, MOST_NUMBERS // max(1, bv.numel()))):
        h = (some[:, None] >> torch.arange(units, device=W.device) & 1).to(W.dtype)
        below = F.softplus(bv[:, None] + h @ W).double().sum(-1)
        log_z = torch.logaddexp(log_z, (below + (bh @ h.T).double()).logsumexp(-1))
    return log_z


def annealed(W: Tensor, bv: Tensor, bh: Tensor, effort: Effort) -> tuple[Tensor, Tensor]:
    """Log Z (N,) by annealed importance sampling, and the variance of each estimate (by the delta method)."""
    frames, chains = len(bv), effort.chains
    base = _mean_field(W, bv, bh)
    log_base = F.softplus(base).double().sum(-1) + F.softplus(bh).double().sum(-1)
    base, bv, bh = (each.repeat(chains, 1) for each in (base, bv, bh))
    noise = _Noise(frames, chains, effort.shared, W)
    v, h = torch.empty_like(bv), torch.empty_like(bh)
    torch.gt(base, noise.logistic(W.shape[1]), out=v)
    log_w = torch.zeros(len(v), dtype=torch.float64, device=W.device)
    for step in range(1, effort.steps + 1):
        b, before = step / effort.steps, (step - 1) / effort.steps
        a = F.linear(v, W)
        hidden = torch.add(bh, a, alpha=b)
        gain = F.softplus(hidden) - F.softplus(torch.add(bh, a, alpha=before))
        log_w += (b - before) * (v * (bv - base)).sum(-1) + gain.sum(-1)
        if step < effort.steps:
            torch.gt(hidden, noise.logistic(W.shape[0]), out=h)
            torch.gt(torch.lerp(base, torch.addmm(bv, h, W), b), noise.logistic(W.shape[1]), out=v)
    log_w = log_w.view(chains, frames)
    weights = (log_w - log_w.amax(0)).exp()
    mean = weights.mean(0)
    variance = weights.var(0) / mean**2 / chains if chains > 1 else torch.zeros_like(mean)
    return log_base + log_w.logsumexp(0) - math.log(chains), variance


class _Noise:
    """Logistic numbers: a unit of logit x is on with its chance where x is above one."""

    def __init__(self, frames: int, chains: int, shared: bool, like: Tensor) -> None:
        self._frames, self._chains, self._like = frames, chains, like
        self._generator = torch.Generator(like.device).manual_seed(0) if shared else None

    def logistic(self, units: int) -> Tensor:
        """For each row of each chain: (chains * frames, units), or the same for all frames of a chain."""
        shared = self._generator is not None
        shape = (self._chains, 1 if shared else self._frames, units)
        uniform = torch.rand(shape, generator=self._generator, dtype=self._like.dtype, device=self._like.device)
        return uniform.logit_(1e-7).expand(-1, self._frames, -1).reshape(-1, units)


def _mean_field(W: Tensor, bv: Tensor, bh: Tensor) -> Tensor:
    """The visible logits (N, V) of the best machine of independent units that a few steps from `bv` find."""
    logits = bv
    for _ in range(MEAN_FIELD_STEPS):
        logits = bv + (F.linear(logits.sigmoid(), W) + bh).sigmoid() @ W
    return logits
