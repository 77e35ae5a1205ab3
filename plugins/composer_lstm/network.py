"""The LSTM that learns. With x_t the vector of step t and h_t^l, c_t^l the outputs and cells of layer l:

    x_t          = E[step] (tokens)   or   A step + a (frames),   joined by one vector per condition
    i, f, g, o   = W^l h_t^(l-1) + U^l h_(t-1)^l + b^l            h_t^0 = x_t
    c_t^l        = sigmoid(f) c_(t-1)^l + sigmoid(i) tanh(g)
    h_t^l        = sigmoid(o) tanh(c_t^l)
    logits_t     = V h_t^L + v

`sampler.py` has the same in numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from composer.api import Kind, SequenceSpec
from composer.api.network import StepwiseNetwork

if TYPE_CHECKING:
    from composer_lstm import LstmConfig


SELDOM = -4.0
"""The logit that a unit of a frame begins with: active in one frame of fifty."""


class LstmNetwork(StepwiseNetwork):
    """Weights: `embed` (E, or A and a), `conditions.n` of the n-th condition, `lstm` (W, U, b), `output` (V, v)."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig) -> None:
        super().__init__(spec)
        self.config = config
        tokens = spec.kind is Kind.TOKENS
        self.embed = nn.Embedding(spec.size, config.embedding) if tokens else nn.Linear(spec.size, config.embedding)
        # row 0 of a condition's table stands for "any value"
        self.conditions = nn.ModuleList(
            nn.Embedding(1 + len(values), config.condition) for values in spec.conditions.values()
        )
        self.lstm = nn.LSTM(
            config.embedding + config.condition * len(spec.conditions),
            config.hidden,
            config.layers,
            dropout=config.dropout if config.layers > 1 else 0.0,
            batch_first=True,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, spec.size)
        if not tokens:
            # a few units of many are active: their sum must be as large as a token's vector, and most chances small
            nn.init.normal_(self.embed.weight)
            nn.init.constant_(self.output.bias, SELDOM)
        for layer in range(config.layers):  # forget gates begin open (Jozefowicz, Zaremba and Sutskever 2015)
            with torch.no_grad():
                getattr(self.lstm, f"bias_ih_l{layer}")[config.hidden : 2 * config.hidden] = 1.0

    def start(self, rows: int) -> tuple[Tensor, ...]:
        zeros = torch.zeros(self.config.layers, rows, self.config.hidden, device=self.device)
        return zeros, zeros

    def forward(
        self, inputs: Tensor, state: tuple[Tensor, ...], reset: Tensor | None, conditions: Mapping[str, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        vectors = self.dropout(self._vectors(inputs, conditions))
        hidden, cell = state
        outputs = []
        for start, stop in _stretches(reset, inputs.shape[1]):
            if reset is not None:
                keep = ~reset[None, :, start, None]
                hidden, cell = hidden * keep, cell * keep
            output, (hidden, cell) = self.lstm(vectors[:, start:stop], (hidden, cell))
            outputs.append(output)
        return self.output(self.dropout(torch.cat(outputs, 1))), (hidden, cell)

    def _vectors(self, inputs: Tensor, conditions: Mapping[str, Tensor]) -> Tensor:
        """The vectors x (B, T, embedding and conditions)."""
        vectors = [self.embed(inputs)]
        for name, table in zip(self.spec.conditions, self.conditions, strict=True):
            index = conditions[name] + 1
            if self.training:
                shown = torch.rand(len(index), 1, device=index.device) >= self.config.condition_dropout
                index = index * shown
            vectors.append(table(index.expand(inputs.shape[:2])))
        return torch.cat(vectors, -1) if len(vectors) > 1 else vectors[0]


def _stretches(reset: Tensor | None, length: int) -> Iterator[tuple[int, int]]:
    """The window cut wherever a piece begins in any row, as (start, stop): within a stretch, states only go on."""
    begins = [] if reset is None else reset.any(0).nonzero()[:, 0].tolist()
    return pairwise(sorted({0, *begins, length}))
