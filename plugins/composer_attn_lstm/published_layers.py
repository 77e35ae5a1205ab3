"""Layers of the published attention-piano system that the default network does not use, in torch.

The preset `attention-piano` combines them: pitch inputs, leaky ReLU, batch normalization, dense layers, and attention
that scales.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from composer.api import SequenceSpec
from composer.toolkit.models.dropout import Dropout
from composer_attn_lstm.attention import State, piece_numbers
from composer_attn_lstm.config import AttnLstmConfig
from composer_attn_lstm.pitch_input import JITTER, pitch_values


class PitchInput(nn.Module):
    """Turn frames (B, T, V) into one value per pitch (B, T, P); has no weights.

    With `jitter`, training replaces 1 by a number from .8 to 1, .5 by one from .4 to .6, and 0 by one below .1.
    """

    values: Tensor

    def __init__(self, spec: SequenceSpec, *, jitter: bool) -> None:
        super().__init__()
        values = torch.from_numpy(pitch_values(spec))
        self.register_buffer("values", values, persistent=False)
        self.jitter, self.size = jitter, values.shape[1]

    def forward(self, frames: Tensor) -> Tensor:
        inputs = frames @ self.values
        if not (self.jitter and self.training):
            return inputs
        noisy, uniform = inputs, torch.rand_like(inputs)
        for minimum, low, high in JITTER:
            noisy = torch.where(inputs >= minimum, low + (high - low) * uniform, noisy)
        return noisy


def activation_layers(size: int, config: AttnLstmConfig, block: int) -> nn.Sequential:
    """Return the leaky ReLU, normalization and dropout that `config` asks for."""
    relu = nn.LeakyReLU(config.leak) if config.leak < 1 else nn.Identity()
    norm = BatchNorm(size) if config.norm == "batch" else nn.Identity()
    return nn.Sequential(relu, norm, Dropout(config.dropout_after(block)))


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization (Ioffe and Szegedy 2015) of each unit of (B, T, H) over rows and steps.

    In evaluation, uses the running mean and variance.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.flatten(0, 1)).view_as(inputs)


class ScalingAttention(nn.Module):
    """Attention that scales each output by its own weight within the window.

        e_t = tanh(w . h_t + b)
        h_t becomes h_t exp(e_t) / sum over s = t-W+1 ... t of exp(e_s)

    The published system takes the softmax over a whole window, so that weights depend on later steps; here the window
    ends with the step itself.
    """

    def __init__(self, size: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.score = nn.Linear(size, 1)

    def initial_state(self, rows: int) -> State:
        """Return exp(e) (1, B, W - 1) of the last steps, 0 before the start."""
        return (torch.zeros(1, rows, self.window - 1),)

    def forward(self, outputs: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        own = self.score(outputs)[..., 0].float().tanh().exp()
        weights = torch.cat([state[0][0], own], 1)
        piece = piece_numbers(outputs, self.window, reset)
        seen = piece.unfold(1, self.window, 1) == piece[:, self.window - 1 :, None]
        total = (weights.unfold(1, self.window, 1) * seen).sum(-1)
        kept = weights * (piece == piece[:, -1:])
        return outputs * (own / total)[..., None].to(outputs.dtype), (kept[None, :, outputs.shape[1] :],)
