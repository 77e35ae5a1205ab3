"""The LSTM with attention that learns. Level l of the stack, with x_t its input at step t and W the window:

    x_t = dropout(the step's vector, joined by its conditions')        below the first level, of `input_dropout`
    h_t = LSTM^l(x_t)                                                  as in `lstm`
    h_t = dropout(norm(rectifier(h_t)))                                where asked for
    h_t = attend(h_(t-W+1), ..., h_t)                                  in levels with attention
    h_t = dropout(norm(rectifier(D2 (D1 h_t + d1) + d2)))              where dense layers follow attention

and logits_t = V h_t + v at the top, where V is the table of tokens with `tied`, or with `output=nade` the biases b_v(t)
and b_h(t) in their place. `DotAttention` and `ScalingAttention` say what attend is. What attention looks back at is
part of the state, so that windows of training that follow one another are one long sequence; where a piece begins, all
of it is forgotten. `sampler.py` has the same in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api import OptionError, SequenceSpec, StepKind
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.lstm_torch import RecurrentNetwork, init_forget_bias, lstm_with_resets, make_embedding
from composer.toolkit.models.nade_torch import make_distribution
from composer_attn_lstm import head_sizes
from composer_attn_lstm.pitch_input import JITTER, pitch_values

if TYPE_CHECKING:
    from composer_attn_lstm import AttnLstmConfig

State = tuple[Tensor, ...]


class AttnLstmNetwork(RecurrentNetwork):
    """Weights: `embed`, `conditions.n`, `levels.l` (`lstm`, `after`, `attention`, `dense`), `output` (V, v).

    Raises OptionError where tokens are to enter as pitches.
    """

    def __init__(self, spec: SequenceSpec, config: AttnLstmConfig) -> None:
        embed, size = _input_layer(spec, config)
        chances = make_distribution(spec, config.output, config.nade_units)
        super().__init__(spec, embed, size, config.condition, config.condition_dropout, chances)
        self.dropout = Dropout(config.input_dropout_rate)
        if config.norm == "batch":
            self.no_chunks_reason = "`norm=batch` takes the mean of whole windows"
        levels: list[Level] = []
        width, blocks = self.input_size, 0
        for number, cells in enumerate(config.layer_sizes):
            levels.append(Level(width, cells, config, number, blocks))
            width, blocks = levels[-1].width, blocks + (2 if levels[-1].dense else 1)
        self.levels = nn.ModuleList(levels)
        self.counts = [len(level.initial_state(0)) for level in levels]
        self.output = nn.Linear(width, chances.outputs)
        self.init_sparse_output(self.output)
        if config.tied:
            self.tie_weights(self.output)

    def initial_layer_states(self, rows: int) -> State:
        levels = cast("list[Level]", self.levels)
        return tuple(part.to(self.device) for level in levels for part in level.initial_state(rows))

    def forward(
        self, inputs: Tensor, state: State, reset: Tensor | None, conditions: Mapping[str, Tensor]
    ) -> tuple[Tensor, State]:
        outputs = self.dropout(self.embed_inputs(inputs, conditions))
        after: State = ()
        for level, count in zip(self.levels, self.counts, strict=True):
            outputs, parts = level(outputs, state[len(after) : len(after) + count], reset)
            after += parts
        return self.output(outputs), after


def _input_layer(spec: SequenceSpec, config: AttnLstmConfig) -> tuple[nn.Module, int]:
    """What steps enter through, and the size of their vectors."""
    if not config.pitches:
        return make_embedding(spec, config.embedding_size), config.embedding_size
    if spec.kind is StepKind.TOKENS:
        raise OptionError("tokens have no pitches", "leave out --set pitches, or take a representation of frames")
    pitches = PitchInput(spec, jitter=config.jitter)
    return pitches, pitches.size


class PitchInput(nn.Module):
    """Frames (B, T, V) as one value for each pitch (B, T, P); nothing is learnt.

    With `jitter`, in training, 1 becomes a number between .8 and 1, .5 one between .4 and .6, and 0 one below .1.
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
        blurred, share = inputs, torch.rand_like(inputs)
        for least, low, high in JITTER:
            blurred = torch.where(inputs >= least, low + (high - low) * share, blurred)
        return blurred


class Level(nn.Module):
    """An LSTM layer and what follows it, up to the next; `width` is the size of its output.

    `block` is the number of the first of its one or two blocks, each of which ends in a dropout.
    """

    def __init__(self, below: int, cells: int, config: AttnLstmConfig, number: int, block: int) -> None:
        super().__init__()
        self.cells, self.width = cells, cells
        self.lstm = nn.LSTM(below, cells, batch_first=True)
        init_forget_bias(self.lstm)
        self.after = _activation_layers(cells, config, block)
        self.attention: DotAttention | ScalingAttention | None = None
        self.dense: nn.Sequential | None = None
        if config.has_attention(number):
            self.attention = (
                DotAttention(cells, config.window, config.heads, config.dropout_after(block))
                if config.attention == "dot"
                else ScalingAttention(cells, config.window)
            )
        if number < len(config.dense):
            size = config.dense[number]
            self.dense = nn.Sequential(
                nn.Linear(self.width, size), nn.Linear(size, size), _activation_layers(size, config, block + 1)
            )
            self.width = size

    def initial_state(self, rows: int) -> State:
        """The state: `hidden` and `cell` (1, B, H), and what attention looks back at."""
        zeros = torch.zeros(1, rows, self.cells)
        return (zeros, zeros, *(self.attention.initial_state(rows) if self.attention is not None else ()))

    def forward(self, inputs: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        hidden, cell, *past = state
        outputs, after = lstm_with_resets(self.lstm, inputs, (hidden, cell), reset)
        outputs = self.after(outputs)
        if self.attention is not None:
            outputs, seen = self.attention(outputs, tuple(past), reset)
            after += seen
        return self.dense(outputs) if self.dense is not None else outputs, after


def _activation_layers(size: int, config: AttnLstmConfig, block: int) -> nn.Sequential:
    """Rectifier, normalisation and dropout: those that are asked for."""
    rectifier = nn.LeakyReLU(config.leak) if config.leak < 1 else nn.Identity()
    norm = BatchNorm(size) if config.norm == "batch" else nn.Identity()
    return nn.Sequential(rectifier, norm, Dropout(config.dropout_after(block)))


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe and Szegedy 2015) of each unit of (B, T, H) over rows and steps.

    Once trained, the running mean and variance stand in for those of the batch.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.flatten(0, 1)).view_as(inputs)


class DotAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017) over the window, joined to the output (Luong et al. 2015).

    Each of several heads has its own Q, q, K, V, v and r:

        q_t = (Q h_t + q) / sqrt(size of a key)       k_s = K h_(s-1)       v_s = V h_s + v
        a_ts = softmax over s = t-W+1 ... t of  q_t . (k_s + r_(t-s))
        c_t = sum over s of a_ts v_s
        h_t becomes dropout(tanh(J [h_t; c_t of each head] + j))

    A step is found by what came before it (k_s is made of h_(s-1), 0 where a piece begins) and by how long ago it was
    (r, Shaw, Uszkoreit and Vaswani 2018), and gives what it was: where the music has been in the present place before,
    c_t tells how it went on.

    Measured with one head on Nottingham (1 x 128, 600 steps), keys made of h_s came to 1.44 bits a character of ABC and
    2.04 nats a frame of piano-roll, and these to 1.39 and 1.73; an LSTM of as many weights to 1.56 and 2.12.
    """

    def __init__(self, size: int, window: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.size, self.window, self.heads = size, window, heads
        keys, values = (heads * each for each in head_sizes(size, heads))
        self.query, self.key = nn.Linear(size, keys), nn.Linear(size, keys, bias=False)
        self.value, self.join = nn.Linear(size, values), nn.Linear(size + values, size)
        self.distance = nn.Parameter(torch.zeros(heads, keys // heads, window))
        self.dropout = Dropout(dropout)

    def initial_state(self, rows: int) -> State:
        """Keys and values (1, B, W - 1, ...) of the last steps, which of them there are, and the last output."""
        keys, values = (torch.zeros(1, rows, self.window - 1, layer.out_features) for layer in (self.key, self.value))
        return keys, values, torch.zeros(keys.shape[:-1], dtype=torch.bool), torch.zeros(1, rows, self.size)

    def forward(self, outputs: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        before = torch.cat([state[3][0, :, None], outputs[:, :-1]], 1)
        if reset is not None:
            before = before * ~reset[..., None]
        keys = torch.cat([state[0][0], self.key(before)], 1)
        values = torch.cat([state[1][0], self.value(outputs)], 1)
        there = F.pad(state[2][0], (0, outputs.shape[1]), value=True)
        piece = _piece_numbers(outputs, self.window, reset)
        found = self._attend(self.query(outputs), keys, values, torch.where(there, piece, -1))
        joined = self.dropout(torch.tanh(self.join(torch.cat([outputs, found], -1))))
        there = there & (piece == piece[:, -1:])
        past = (each[None, :, outputs.shape[1] :] for each in (keys, values, there))
        return joined, (*past, outputs[None, :, -1])

    def _attend(self, query: Tensor, keys: Tensor, values: Tensor, piece: Tensor) -> Tensor:
        """What queries (B, T, ...) find in keys and values (B, W - 1 + T, ...), which are of pieces so numbered.

        Blocks of C <= W queries look at the S = C + W - 1 keys that any of them may see: for W of them that is twice as
        many products as are needed, and for one none.
        """
        length = query.shape[1]
        block = min(self.window, length)
        span, filling = block + self.window - 1, -length % block
        query = F.pad(query, (0, 0, 0, filling)).view(len(query), -1, block, self.heads, self.distance.shape[1])
        query = query.transpose(2, 3) / math.sqrt(query.shape[-1])  # (B, N, heads, C, size of a key)
        keys, values = (F.pad(each, (0, 0, 0, filling)).unfold(1, span, block) for each in (keys, values))
        keys, values = (each.view(*each.shape[:2], self.heads, -1, span) for each in (keys, values))
        piece = F.pad(piece, (0, filling), value=-2).unfold(1, span, block)[:, :, None, None]
        ahead = torch.arange(span, device=query.device) - torch.arange(block, device=query.device)[:, None]
        seen = (ahead >= 0) & (ahead < self.window) & (piece == piece[..., self.window - 1 :].transpose(-1, -2))
        scores = query @ keys + _by_position(query @ self.distance)
        weights = scores.float().masked_fill(~seen, -math.inf).softmax(-1).to(values.dtype)
        found = (weights @ values.transpose(-1, -2)).transpose(2, 3)  # (B, N, C, heads, size of a value)
        return found.flatten(3).flatten(1, 2)[:, :length]


def _by_position(scores: Tensor) -> Tensor:
    """Scores (..., C, W) of query i and a distance as those of query i and a key (..., C, C + W - 1).

    Row i moves right by i (Huang et al. 2018): the first distance is that of the oldest step of a window.
    """
    block, window = scores.shape[-2:]
    flat = F.pad(scores, (0, block)).flatten(-2)[..., : block * (block + window - 1)]
    return flat.view(*scores.shape[:-1], block + window - 1)


class ScalingAttention(nn.Module):
    """Attention that keeps the sequence: each output is scaled by its own weight among those of the window.

        e_t = tanh(w . h_t + b)
        h_t becomes h_t exp(e_t) / sum over s = t-W+1 ... t of exp(e_s)

    The system that this is of took the softmax over a window whole, so that a step's weight depended on later ones;
    here it is taken over the window that ends with the step.
    """

    def __init__(self, size: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.score = nn.Linear(size, 1)

    def initial_state(self, rows: int) -> State:
        """exp(e) (1, B, W - 1) of the last steps, 0 where there was none."""
        return (torch.zeros(1, rows, self.window - 1),)

    def forward(self, outputs: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        own = self.score(outputs)[..., 0].float().tanh().exp()
        weights = torch.cat([state[0][0], own], 1)
        piece = _piece_numbers(outputs, self.window, reset)
        seen = piece.unfold(1, self.window, 1) == piece[:, self.window - 1 :, None]
        total = (weights.unfold(1, self.window, 1) * seen).sum(-1)
        kept = weights * (piece == piece[:, -1:])
        return outputs * (own / total)[..., None].to(outputs.dtype), (kept[None, :, outputs.shape[1] :],)


def _piece_numbers(outputs: Tensor, window: int, reset: Tensor | None) -> Tensor:
    """The number of the piece that each step is in (B, W - 1 + T): 0 for the past, and from then on."""
    if reset is None:
        reset = torch.zeros_like(outputs[..., 0], dtype=torch.bool)
    return F.pad(reset.cumsum(1), (window - 1, 0))
