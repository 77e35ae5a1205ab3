"""The LSTM that learns. With x_t the vector of step t and h_t^l, c_t^l the outputs and cells of layer l:

    x_t          = E[step] (tokens)   or   A step + a (frames),   joined by one vector per condition
    i, f, g, o   = W^l h_t^(l-1) + U^l h_(t-1)^l + b^l            h_t^0 = x_t
    c_t^l        = sigmoid(f) c_(t-1)^l + sigmoid(i) tanh(g)
    h_t^l        = sigmoid(o) tanh(c_t^l)
    logits_t     = V h_t^L + v        with `tied`, V is E; with `output=nade`, b_v(t) and b_h(t) in their place

While training, dropout is put on x_t (`input_dropout`) and on h_t^l of every layer (`dropout`) where it goes up; the
recurrent h_(t-1)^l is left as it is (Zaremba, Sutskever and Vinyals 2014). `sampler.py` has the same in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from composer.api import SequenceSpec
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.lstm_torch import RecurrentNetwork, embedding, open_forget_gates, recur
from composer.toolkit.models.nade_torch import distribution

if TYPE_CHECKING:
    from composer_lstm import LstmConfig


class LstmNetwork(RecurrentNetwork):
    """Weights: `embed` (E, or A and a), `conditions.n` of the n-th condition, `lstm` (W, U, b), `output` (V, v)."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig) -> None:
        embed = embedding(spec, config.vector)
        chances = distribution(spec, config.output, config.nade_units)
        super().__init__(spec, embed, config.vector, config.condition, config.condition_dropout, chances)
        self.config = config
        self.lstm = nn.LSTM(
            self.width,
            config.hidden,
            config.layers,
            dropout=config.dropout if config.layers > 1 else 0.0,
            batch_first=True,
        )
        self.entering, self.dropout = Dropout(config.entering), Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, chances.outputs)
        self.expect_seldom(self.output)
        if config.tied:
            self.tie(self.output)
        open_forget_gates(self.lstm)

    def start(self, rows: int) -> tuple[Tensor, ...]:
        zeros = torch.zeros(self.config.layers, rows, self.config.hidden, device=self.device)
        return zeros, zeros

    def forward(
        self, inputs: Tensor, state: tuple[Tensor, ...], reset: Tensor | None, conditions: Mapping[str, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        vectors = self.entering(self.vectors(inputs, conditions))
        hidden, cell = state
        outputs, state = recur(self.lstm, vectors, (hidden, cell), reset)
        return self.output(self.dropout(outputs)), state
