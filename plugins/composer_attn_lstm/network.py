"""LSTM network with attention, for training. Level l, with x_t its input at step t and W the window:

    x_t = dropout(the step's vector, concatenated with those of conditions and position features)
    h_t = LSTM^l(x_t)                                                  as in `lstm`
    h_t = dropout(norm(relu(h_t)))                                     relu and norm are optional
    h_t = attend(h_(t-W+1), ..., h_t)                                  in levels with attention
    h_t = dropout(norm(relu(D2 (D1 h_t + d1) + d2)))                   in levels with dense layers

At the top, logits_t = V h_t + v. With `tied`, V is the embedding; with `output=nade`, the outputs are b_v(t) and
b_h(t). The state includes the steps that attention covers, so that successive training windows act as one long
sequence; it is cleared at the start of each piece. `sampler.py` has the same equations in numpy.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from composer.api import OptionError, SequenceSpec, StepKind
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.embedded_torch import EmbeddedNetwork, make_embedding
from composer.toolkit.models.lstm_torch import init_forget_bias, lstm_with_resets
from composer.toolkit.models.nade_torch import make_distribution
from composer_attn_lstm.attention import DotAttention, State
from composer_attn_lstm.config import AttnLstmConfig
from composer_attn_lstm.published_layers import PitchInput, ScalingAttention, activation_layers


class AttnLstmNetwork(EmbeddedNetwork):
    """Weights: `embed`, `conditions.n`, `features.n`, `output` (V, v), and `levels.l`: `lstm`, `after`, `attention`,
    `dense`.

    Raises OptionError for `pitches` with tokens.
    """

    def __init__(self, spec: SequenceSpec, config: AttnLstmConfig) -> None:
        embed, size = _input_layer(spec, config)
        super().__init__(
            spec, size, embed=embed,
            condition_size=config.condition, condition_dropout=config.condition_dropout, feature_size=config.position,
            distribution=make_distribution(spec, config.output, config.nade_units),
        )  # fmt: skip
        self.dropout = Dropout(config.input_dropout_rate)
        if config.norm == "batch":
            self.no_chunks_reason = "`norm=batch` averages over whole windows"
        levels: list[Level] = []
        width, blocks = self.input_size, 0
        for number, cells in enumerate(config.layer_sizes):
            levels.append(Level(width, cells, config, number, blocks))
            width, blocks = levels[-1].width, blocks + (2 if levels[-1].dense else 1)
        self.levels = nn.ModuleList(levels)
        self.state_sizes = [len(level.initial_state(0)) for level in levels]
        self.output = self.make_output(width, tied=config.tied)

    def initial_core_state(self, rows: int) -> State:
        return tuple(part for level in cast("list[Level]", self.levels) for part in level.initial_state(rows))

    def core(self, vectors: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        outputs, after = self.dropout(vectors), cast("State", ())
        for level, size in zip(self.levels, self.state_sizes, strict=True):
            outputs, parts = level(outputs, state[len(after) : len(after) + size], reset)
            after += parts
        return outputs, after


def _input_layer(spec: SequenceSpec, config: AttnLstmConfig) -> tuple[nn.Module, int]:
    """Return the input module and the size of its output."""
    if not config.pitches:
        return make_embedding(spec, config.embedding_size), config.embedding_size
    if spec.kind is StepKind.TOKENS:
        raise OptionError(
            "`pitches` needs a representation of frames, but this one has tokens",
            "leave out --set pitches, or use a representation of frames such as pianoroll",
        )
    pitches = PitchInput(spec, jitter=config.jitter)
    return pitches, pitches.size


class Level(nn.Module):
    """An LSTM layer with its activation, attention and dense layers; `width` is the size of its output.

    A level has one or two blocks that end in a dropout; `block` is the number of the first.
    """

    def __init__(self, below: int, cells: int, config: AttnLstmConfig, number: int, block: int) -> None:
        super().__init__()
        self.cells, self.width = cells, cells
        self.lstm = nn.LSTM(below, cells, batch_first=True)
        init_forget_bias(self.lstm)
        self.after = activation_layers(cells, config, block)
        self.attention: DotAttention | ScalingAttention | None = None
        self.dense: nn.Sequential | None = None
        if config.has_attention(number):
            if config.attention == "dot":
                self.attention = DotAttention(cells, config.window, config.heads, config.dropout_after(block))
            else:
                self.attention = ScalingAttention(cells, config.window)
        if number < len(config.dense):
            self.width = config.dense[number]
            layers = nn.Linear(cells, self.width), nn.Linear(self.width, self.width)
            self.dense = nn.Sequential(*layers, activation_layers(self.width, config, block + 1))

    def initial_state(self, rows: int) -> State:
        """Return `hidden` and `cell` (1, B, H), and the state of attention."""
        zeros = torch.zeros(1, rows, self.cells)
        return (zeros, zeros, *(self.attention.initial_state(rows) if self.attention is not None else ()))

    def forward(self, inputs: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        hidden, cell, *past = state
        outputs, after = lstm_with_resets(self.lstm, inputs, (hidden, cell), reset)
        outputs = self.after(outputs)
        if self.attention is not None:
            outputs, attended = self.attention(outputs, tuple(past), reset)
            after += attended
        return self.dense(outputs) if self.dense is not None else outputs, after
