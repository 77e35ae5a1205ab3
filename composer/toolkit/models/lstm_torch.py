"""LSTM layers in torch: embeddings of steps and conditions, and state resets between pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from composer.api.network import Batch
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.dropout import drop
from composer.toolkit.models.outputs import SPARSE_LOGIT, Distribution
from composer.toolkit.models.stepwise_torch import StepwiseNetwork

__all__ = ["RecurrentNetwork", "init_forget_bias", "lstm_with_resets", "make_embedding"]


class RecurrentNetwork(StepwiseNetwork):
    """A StepwiseNetwork with embeddings of steps, concatenated with one embedding per condition.

    Weights: `embed`, which turns inputs into vectors (B, T, E), and `conditions.n` for condition n; `input_size` is the
    total size. `composer.toolkit.models.lstm_numpy.InputLayer` has the same in numpy.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        embed: nn.Module,
        size: int,
        condition_size: int,
        condition_dropout: float,
        distribution: Distribution | None = None,
    ) -> None:
        """`size` is E; `condition_dropout` is the rate at which conditions are hidden in training."""
        super().__init__(spec, distribution)
        self.embed = embed
        tables = (_condition_table(len(each), condition_size) for each in spec.conditions.values())
        self.conditions = nn.ModuleList(tables)
        self.input_size, self.condition_dropout = size + condition_size * len(spec.conditions), condition_dropout

    def tie_weights(self, output: nn.Linear) -> None:
        """Share one matrix between the token embedding and `output` (Press and Wolf 2017).

        It is saved under both names. The embedding must have the size of the input of `output`.
        """
        output.weight = cast("nn.Embedding", self.embed).weight

    def embed_inputs(self, inputs: Tensor, conditions: Mapping[str, Tensor]) -> Tensor:
        """Return the input vectors (B, T, input_size)."""
        vectors = [self.embed(inputs)]
        for name, table in zip(self.spec.conditions, self.conditions, strict=True):
            vectors.append(table((conditions[name] + 1).expand(inputs.shape[:2])))
        return torch.cat(vectors, -1) if len(vectors) > 1 else vectors[0]

    def drop_conditions(self, batch: Batch) -> Batch:
        """In training, hide random conditions of random rows, so that the model also works without them.

        They stay hidden for the whole window.
        """
        if not (self.training and batch.conditions):
            return batch
        conditions = {
            name: index.masked_fill(torch.rand(len(index), 1, device=index.device) < self.condition_dropout, -1)
            for name, index in ((name, batch.conditions[name]) for name in self.spec.conditions)
        }
        return replace(batch, conditions=conditions)

    def init_sparse_output(self, output: nn.Linear) -> None:
        """Initialize for frames, in which few units are active.

        The sum of their vectors must be as large as a token's, and most output probabilities small.
        """
        if self.spec.kind is StepKind.FRAMES:
            if isinstance(self.embed, nn.Linear):
                nn.init.normal_(self.embed.weight)
            nn.init.constant_(output.bias[: self.spec.size], SPARSE_LOGIT)
            nn.init.zeros_(output.bias[self.spec.size :])


def _condition_table(values: int, size: int) -> nn.Embedding:
    """Return the embedding of a condition. Row 0, for unknown, starts as their mean, since it may never be trained."""
    table = nn.Embedding(1 + values, size)
    with torch.no_grad():
        table.weight[0] = table.weight[1:].mean(0)
    return table


def make_embedding(spec: SequenceSpec, size: int) -> nn.Module:
    """Return a module that turns steps into vectors of `size`: an embedding, or for frames a linear map."""
    return nn.Embedding(spec.size, size) if spec.kind is StepKind.TOKENS else nn.Linear(spec.size, size)


@torch.no_grad()
def init_forget_bias(lstm: nn.LSTM) -> None:
    """Start with open forget gates (Jozefowicz, Zaremba and Sutskever 2015)."""
    for layer in range(lstm.num_layers):
        getattr(lstm, f"bias_ih_l{layer}")[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0


def lstm_with_resets(
    lstm: nn.LSTM, vectors: Tensor, state: tuple[Tensor, Tensor], reset: Tensor | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the outputs (B, T, H) of `lstm` over `vectors`, clearing the state at each `reset`, and the last state."""
    outputs = []
    hidden, cell = state
    for start, stop in _segments(reset, vectors.shape[1]):
        if reset is not None:
            keep = ~reset[None, :, start, None]
            hidden, cell = hidden * keep, cell * keep
        output, (hidden, cell) = _lstm_layers(lstm, vectors[:, start:stop], (hidden, cell))
        outputs.append(output)
    return torch.cat(outputs, 1), (hidden, cell)


def _lstm_layers(lstm: nn.LSTM, vectors: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Call `lstm`, or its layers one by one with the faster `drop` between them."""
    if not (lstm.training and lstm.dropout and vectors.device.type == "cpu"):
        result: tuple[Tensor, tuple[Tensor, Tensor]] = lstm(vectors, state)
        return result
    final_states = []
    for layer, (weights, hidden, cell) in enumerate(zip(lstm.all_weights, *state, strict=True)):
        dropped = drop(vectors, lstm.dropout) if layer else vectors
        begin = (hidden[None], cell[None])
        vectors, *final_state = torch.lstm(dropped, begin, tuple(weights), True, 1, 0.0, True, False, True)
        final_states.append(final_state)
    hidden, cell = (torch.cat(parts) for parts in zip(*final_states, strict=True))
    return vectors, (hidden, cell)


def _segments(reset: Tensor | None, length: int) -> Iterator[tuple[int, int]]:
    """Split the window wherever a piece starts in any row, into (start, stop) without resets inside."""
    begins = [] if reset is None else reset.any(0).nonzero()[:, 0].tolist()
    return pairwise(sorted({0, *begins, length}))
