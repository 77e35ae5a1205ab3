"""Transformer network for training. With v_t the input vector of step t, and N^l, M^l, N layer normalizations:

    x_t       = P v_t + p                                 v_t as in EmbeddedNetwork
    q, k, v   = Q^l N^l(x_t) + b^l                        each split into heads
    a_ts      = softmax over s = t-W+1 ... t of  (R_t q_t) . (R_s k_s) / sqrt(size of a head)
    x_t      += J^l [sum over s of a_ts v_s, of each head] + j^l
    x_t      += D^l relu(E^l M^l(x_t) + e^l)^2 + d^l
    logits_t  = V N(x_t) + v                              with `tied`, V is the embedding

R_t turns each pair of units by an angle that grows with t (rotary positions, Su et al. 2021), so that a score depends
on the distance of two steps only. relu(.)^2 is that of So et al. (2021). In training, dropout applies to P v_t + p and
to what each block adds.

The state, or cache, has the keys and values of the last W - 1 steps of each layer, and which of them belong to the
piece. So successive training windows act as one long sequence, in which gradients end at the edges (Dai et al. 2019).
`sampler.py` has the same equations in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from composer.api import SequenceSpec
from composer.toolkit.models.dropout import Dropout
from composer.toolkit.models.embedded_torch import EmbeddedNetwork
from composer.toolkit.models.nade_torch import make_distribution
from composer_transformer.config import ROTARY_BASE, TransformerConfig

State = tuple[Tensor, ...]


class TransformerNetwork(EmbeddedNetwork):
    """Weights: those of EmbeddedNetwork, `project` (P, p), `layers.l` and `norm` (N)."""

    def __init__(self, spec: SequenceSpec, config: TransformerConfig) -> None:
        super().__init__(
            spec, config.embedding_size,
            condition_size=config.condition, condition_dropout=config.condition_dropout, feature_size=config.position,
            distribution=make_distribution(spec, config.output, config.nade_units),
        )  # fmt: skip
        self.config = config
        self.project = nn.Linear(self.input_size, config.hidden)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)
        if config.tied:  # inputs are normalized again, but logits must start small
            nn.init.normal_(self.embed.weight, std=config.hidden**-0.5)  # type: ignore[arg-type]
        self.output = self.make_output(config.hidden, tied=config.tied)

    def initial_core_state(self, rows: int) -> State:
        """Return `cached` (1, B, W - 1), false, and for each layer keys and values (1, B, W - 1, H)."""
        empty = torch.zeros(1, rows, self.config.window - 1, self.config.hidden)
        return (torch.zeros(empty.shape[:-1], dtype=torch.bool), *[empty] * (2 * self.config.layers))

    def core(self, vectors: Tensor, state: State, reset: Tensor | None) -> tuple[Tensor, State]:
        cached, *caches = (part[0] for part in state)
        piece = _piece_numbers(vectors, cached, reset)
        blocks = list(_blocks(piece, self.config.window))
        outputs, after = self.dropout(self.project(vectors)), [piece[:, vectors.shape[1] :] == piece[:, -1:]]
        for number, layer in enumerate(self.layers):
            outputs, *cache = layer(outputs, *caches[2 * number : 2 * number + 2], blocks)
            after += cache
        return self.norm(outputs), tuple(part[None] for part in after)


class Layer(nn.Module):
    """One layer: attention, then a feed-forward block, each with a normalization before it and a residual around it.

    Weights: `attention_norm` (N), `project` (Q, b), `join` (J, j), `feedforward_norm` (M), `expand` (E, e) and
    `contract` (D, d).
    """

    turns: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        size, wide = config.hidden, config.feedforward_size
        self.config = config
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.project, self.join = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.expand, self.contract = nn.Linear(size, wide), nn.Linear(wide, size)
        self.dropout = Dropout(config.dropout)
        with torch.no_grad():
            for last in (self.join, self.contract):  # so that the sum over layers starts as large as its terms
                last.weight /= math.sqrt(2 * config.layers)
        turns = _rotations(2 * config.window - 1, config.head_size)
        self.register_buffer("turns", turns, persistent=False)

    def forward(
        self, inputs: Tensor, keys: Tensor, values: Tensor, blocks: list[Block]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the outputs (B, T, H), and the keys and values (B, W - 1, H) of the last steps."""
        length = inputs.shape[1]
        queries, *new = self.project(self.attention_norm(inputs)).chunk(3, -1)
        keys, values = (torch.cat(pair, 1) for pair in zip((keys, values), new, strict=True))
        context = [self._attend(queries[:, block.queries], keys[:, block.keys], values[:, block.keys], block.seen)
                   for block in blocks]  # fmt: skip
        outputs = inputs + self.dropout(self.join(torch.cat(context, 1)))
        wide = F.relu(self.expand(self.feedforward_norm(outputs))).square()
        return outputs + self.dropout(self.contract(wide)), keys[:, length:], values[:, length:]

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, seen: Tensor) -> Tensor:
        """Return the context (B, C, H) of queries (B, C, H) over keys and values (B, W - 1 + C, H).

        The first query is at the place W - 1 of the keys.
        """
        first = self.config.window - 1
        queries, keys, values = (each.view(*each.shape[:2], self.config.heads, -1).transpose(1, 2)
                                 for each in (queries, keys, values))  # fmt: skip
        turned = _turn(queries, self.turns[:, first : keys.shape[2]]), _turn(keys, self.turns[:, : keys.shape[2]])
        context = F.scaled_dot_product_attention(*turned, values.to(turned[0].dtype), attn_mask=seen)
        return context.transpose(1, 2).flatten(2)


class Block(NamedTuple):
    """Queries of a window that are multiplied with the same keys; `seen` (B, 1, C, W - 1 + C) is true for pairs in
    reach.
    """

    queries: slice
    keys: slice
    seen: Tensor


def _blocks(piece: Tensor, window: int) -> Iterator[Block]:
    """Split a window into blocks of at most W queries, by the `piece` (B, W - 1 + T) of each step.

    With C queries in a block, C - 1 of each query's C + W - 1 keys are out of reach.
    """
    length = piece.shape[1] - window + 1
    for start in range(0, length, window):
        stop = min(start + window, length)
        queries, keys = slice(start, stop), slice(start, stop + window - 1)
        span, own = piece[:, None, keys], piece[:, start + window - 1 : stop + window - 1, None]
        ahead = (
            torch.arange(span.shape[2], device=piece.device) - torch.arange(stop - start, device=piece.device)[:, None]
        )
        seen = (ahead >= 0) & (ahead < window) & (span == own)
        yield Block(queries, keys, seen[:, None])


def _piece_numbers(vectors: Tensor, cached: Tensor, reset: Tensor | None) -> Tensor:
    """Number the piece of each step (B, W - 1 + T), counting resets: 0 for cached steps, -1 if there is none."""
    if reset is None:
        reset = torch.zeros(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
    return torch.cat([cached.long() - 1, reset.cumsum(1)], 1)


def _rotations(places: int, head_size: int) -> Tensor:
    """Return what turns pairs of units at each place (2, places, head_size): the factor of a unit, and of its partner.

    The partner of a unit is in the other half of the head.
    """
    speeds = ROTARY_BASE ** -torch.linspace(0, 1, head_size // 2 + 1, dtype=torch.float64)[:-1]
    angles = torch.arange(places, dtype=torch.float64)[:, None] * speeds
    cosine, sine = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosine, cosine], 1), torch.cat([-sine, sine], 1)]).float()


def _turn(vectors: Tensor, turns: Tensor) -> Tensor:
    """Turn the pairs of units of `vectors` (..., places, head_size) by `turns` (2, places, head_size)."""
    of_unit, of_partner = turns
    return torch.addcmul(vectors * of_unit, vectors.roll(vectors.shape[-1] // 2, -1), of_partner)
