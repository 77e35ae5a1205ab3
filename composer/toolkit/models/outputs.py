"""Output distributions of networks: a softmax over tokens, or a sigmoid for each unit of a frame.

`composer.toolkit.models.nade_torch` has one whose units depend on each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

from composer.api.errors import Unsupported
from composer.api.sampling.torch_filters import TorchDraw, TorchSamplingParams, draw_frames, draw_tokens
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.nade_numpy import NadeSampler

__all__ = ["SPARSE_LOGIT", "Distribution", "default_distribution"]

SPARSE_LOGIT = -4.0
"""Initial logit of a frame's units: active in about one frame of fifty."""


class Distribution(nn.Module, ABC):
    """Distribution of the next step, from `outputs` numbers; steps are tokens (...) or frames (..., V)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    @abstractmethod
    def nll(self, outputs: Tensor, steps: Tensor) -> Tensor:
        """Return the negative log-likelihood (...) of each step in nats, from outputs (..., `outputs`)."""

    def log_prob(self, outputs: Tensor, steps: Tensor) -> Tensor:
        """Return the log-probability (...) of each step in nats."""
        return -self.nll(outputs, steps)

    def draw(self, outputs: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """Draw a step for each row (B, `outputs`), on the network's device."""
        raise Unsupported("this distribution is sampled on the host")

    def host_sampler(self) -> NadeSampler | None:
        """Return a sampler for the host, if steps must be drawn there."""
        return None


def default_distribution(spec: SequenceSpec) -> Distribution:
    """Return a softmax over tokens, or independent units of a frame."""
    return _Softmax(spec.size) if spec.kind is StepKind.TOKENS else _Sigmoids(spec.size)


class _Softmax(Distribution):
    def nll(self, outputs: Tensor, steps: Tensor) -> Tensor:
        nats = F.cross_entropy(outputs.flatten(0, -2), steps.long().flatten(), reduction="none")
        return nats.view(steps.shape)

    def draw(self, outputs: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        return draw_tokens(outputs, params, rng)


class _Sigmoids(Distribution):
    def nll(self, outputs: Tensor, steps: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs, steps.to(outputs.dtype), reduction="none").sum(-1)

    def draw(self, outputs: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        return draw_frames(outputs, params, rng)
