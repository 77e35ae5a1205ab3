"""LSTM network for training. With x_t the vector of step t and h_t^l, c_t^l the output and cell of layer l:

    x_t          = E[step] (tokens)   or   A step + a (frames),   concatenated with one vector per
                   condition and position feature
    i, f, g, o   = W^l h_t^(l-1) + U^l h_(t-1)^l + b^l            h_t^0 = x_t
    c_t^l        = sigmoid(f) c_(t-1)^l + sigmoid(i) tanh(g)
    h_t^l        = sigmoid(o) tanh(c_t^l)
    logits_t     = V h_t^L + v        with `tied`, V is E; with `output=nade`, these are b_v(t) and b_h(t)

In training, dropout applies to x_t (`input_dropout`) and to each h_t^l on its way up (`dropout`), but not to the
recurrent h_(t-1)^l (Zaremba, Sutskever and Vinyals 2014). `sampler.py` has the same equations in numpy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from composer.api import SequenceSpec
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.embedded_torch import EmbeddedNetwork, make_embedding
from composer.toolkit.models.lstm_torch import init_forget_bias, lstm_with_resets
from composer.toolkit.models.nade_torch import make_distribution
from composer_lstm.config import LstmConfig


class LstmNetwork(EmbeddedNetwork):
    """Weights: `embed` (E, or A and a), `conditions.n` and `features.n`, `lstm` (W, U, b), `output` (V, v)."""

    def __init__(self, spec: SequenceSpec, config: LstmConfig) -> None:
        embed = make_embedding(spec, config.embedding_size)
        super().__init__(
            spec, config.embedding_size, embed=embed,
            condition_size=config.condition, condition_dropout=config.condition_dropout, feature_size=config.position,
            distribution=make_distribution(spec, config.output, config.nade_units),
        )  # fmt: skip
        self.config = config
        dropout = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(self.input_size, config.hidden, config.layers, dropout=dropout, batch_first=True)
        self.input_dropout, self.dropout = Dropout(config.input_dropout_rate), Dropout(config.dropout)
        self.output = self.make_output(config.hidden, tied=config.tied)
        init_forget_bias(self.lstm)

    def initial_core_state(self, rows: int) -> tuple[Tensor, ...]:
        zeros = torch.zeros(self.config.layers, rows, self.config.hidden)
        return zeros, zeros

    def core(
        self, vectors: Tensor, state: tuple[Tensor, ...], reset: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, state = lstm_with_resets(self.lstm, self.input_dropout(vectors), state, reset)
        return self.dropout(outputs), state
