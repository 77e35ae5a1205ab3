"""Neural autoregressive distribution estimator (NADE) in torch: the equations of `nade_numpy`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api.sequence import SequenceSpec
from composer.toolkit.models.nade_numpy import NadeSampler as Chain
from composer.toolkit.models.outputs import Distribution, default_distribution

__all__ = ["NadeDistribution", "make_distribution"]

INITIAL_W, INITIAL_V = 0.5, 0.05
"""The deviations of the first weights: a few units of many are active and must be felt; chances begin small."""


def make_distribution(spec: SequenceSpec, output: str, units: int) -> Distribution:
    """What `composer.toolkit.models.settings.OUTPUTS` calls `output`, a NADE with so many hidden `units`."""
    return NadeDistribution(spec.size, units) if output == "nade" else default_distribution(spec)


class NadeDistribution(Distribution):
    """Exact likelihoods of frames (..., D) of units that depend on one another.

    Outputs (..., D + n) are b_v(t) and b_h(t) side by side: so the last linear layer's weight is W_uv above W_uh, and
    its bias b_v and b_h. Weights: `W` (n, D) and `V` (D, n).
    """

    def __init__(self, size: int, units: int) -> None:
        super().__init__(size + units)
        self.size = size
        self.W = nn.Parameter(INITIAL_W * torch.randn(units, size))
        self.V = nn.Parameter(INITIAL_V * torch.randn(size, units))

    def nll(self, outputs: Tensor, steps: Tensor) -> Tensor:
        both = outputs.flatten(0, -2)
        bv, bh = both[:, : self.size], both[:, self.size :]
        v = steps.flatten(0, -2) > 0
        logits = self.logits(v, bv, bh).float()
        nats = F.binary_cross_entropy_with_logits(logits, v.float(), reduction="none").sum(-1)
        return nats.view(steps.shape[:-1])

    def logits(self, v: Tensor, bv: Tensor, bh: Tensor) -> Tensor:
        """The logit (N, D) of each unit, given those before it in its frame of `v` (N, D), bool.

        A frame of K active units has K + 1 distinct hidden vectors, and these alone are computed. Frames that have most
        come first, so that those with a k-th active unit are the first of those with one less.
        """
        counts = v.sum(1)
        order = counts.argsort(descending=True, stable=True)
        ordered = v[order]
        widths = torch.bincount(counts).flip(0).cumsum(0).flip(0)[1:].tolist()  # frames of at least k units, k = 1, ...
        unit = ordered.nonzero(as_tuple=True)[1]  # by frames, and ascending in each
        first = F.pad(counts[order].cumsum(0), (1, 0))
        a = bh[order]
        found, columns = [a], self.W.T
        for k, width in enumerate(widths):
            a = a[:width] + F.embedding(unit[first[:width] + k], columns)
            found.append(a)
        chances = F.linear(torch.cat(found).sigmoid(), self.V)
        # row of the k-th vector of the frame in place p: all vectors of fewer units stand before it
        starts = torch.tensor([0, len(v), *widths[:-1]] if widths else [0], device=v.device).cumsum(0)
        before = ordered.cumsum(1) - ordered.long()
        rows = starts[before] + torch.arange(len(v), device=v.device)[:, None]
        picked = chances.gather(0, rows)
        return bv + picked[order.argsort()]

    def host_sampler(self) -> Chain:
        """With the weights as they are now."""
        return Chain(self.W.detach().cpu().numpy(), self.V.detach().cpu().numpy())
