"""Neural autoregressive distribution estimator (NADE) in torch: the equations of `nade_numpy`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api.sequence import SequenceSpec
from composer.toolkit.models.nade_numpy import NadeSampler
from composer.toolkit.models.outputs import Distribution, default_distribution

__all__ = ["NadeDistribution", "make_distribution"]

INITIAL_W, INITIAL_V = 0.5, 0.05
"""Standard deviations of the initial weights: frames are sparse, so W is large and V small."""


def make_distribution(spec: SequenceSpec, output: str, units: int) -> Distribution:
    """Return the distribution named by a model's `output` setting; a NADE has `units` hidden units."""
    return NadeDistribution(spec.size, units) if output == "nade" else default_distribution(spec)


class NadeDistribution(Distribution):
    """Exact likelihoods of frames (..., D) whose units depend on each other.

    Outputs (..., D + n) are b_v(t) and b_h(t), concatenated; the last linear layer holds W_uv, W_uh, b_v and b_h.
    Weights: `W` (n, D) and `V` (D, n).
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
        """Return the logit (N, D) of each unit, given those before it in its frame of `v` (N, D), bool.

        A frame with K active units has K + 1 distinct hidden vectors; only these are computed. Frames are sorted by
        descending K, so that those with a k-th active unit are a prefix.
        """
        counts = v.sum(1)
        order = counts.argsort(descending=True, stable=True)
        ordered = v[order]
        widths = (
            torch.bincount(counts).flip(0).cumsum(0).flip(0)[1:].tolist()
        )  # frames with at least k units, k = 1, ...
        unit = ordered.nonzero(as_tuple=True)[1]  # by frame, ascending within each
        first = F.pad(counts[order].cumsum(0), (1, 0))
        a = bh[order]
        vectors, columns = [a], self.W.T
        for k, width in enumerate(widths):
            a = a[:width] + F.embedding(unit[first[:width] + k], columns)
            vectors.append(a)
        logits_by_vector = F.linear(torch.cat(vectors).sigmoid(), self.V)
        # row of vector k of the frame at position p: vectors of fewer units come first
        starts = torch.tensor([0, len(v), *widths[:-1]] if widths else [0], device=v.device).cumsum(0)
        before = ordered.cumsum(1) - ordered.long()
        rows = starts[before] + torch.arange(len(v), device=v.device)[:, None]
        picked = logits_by_vector.gather(0, rows)
        return bv + picked[order.argsort()]

    def host_sampler(self) -> NadeSampler:
        """Return a sampler with a copy of the current weights."""
        return NadeSampler(self.W.detach().cpu().numpy(), self.V.detach().cpu().numpy())
