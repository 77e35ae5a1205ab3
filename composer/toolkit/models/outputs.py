"""What a network's outputs say of the next step: a softmax over tokens, or a sigmoid for each unit of a frame.

`composer.toolkit.models.nade_torch` has a third, whose units depend on one another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

from composer.api.errors import Unsupported
from composer.api.sampling.torch_filters import TorchDraw, TorchSamplingParams, draw_frames, draw_tokens
from composer.api.sampling.torch_rng import TorchStepRNG
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.nade_numpy import NadeSampler as Chain

__all__ = ["SPARSE_LOGIT", "Distribution", "default_distribution"]

SPARSE_LOGIT = -4.0
"""Initial logit of a frame's units: active in about one frame of fifty."""


class Distribution(nn.Module, ABC):
    """The chances of the next step, given `outputs` numbers for each; steps are tokens (...) or frames (..., V)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    @abstractmethod
    def nll(self, outputs: Tensor, steps: Tensor) -> Tensor:
        """The negative log-probability (...) of each step, given outputs (..., `outputs`)."""

    def draw(self, outputs: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
        """A step for each row (B, `outputs`), drawn where the network is."""
        raise Unsupported("units that depend on one another are drawn on the host")

    def host_sampler(self) -> Chain | None:
        """What draws steps on the host, where that is how they are drawn."""
        return None


def default_distribution(spec: SequenceSpec) -> Distribution:
    """A softmax over tokens, or independent units of a frame."""
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
