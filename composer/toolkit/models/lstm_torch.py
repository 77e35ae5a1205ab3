"""What networks of LSTM layers share: vectors for steps and conditions, and layers that begin anew where pieces do."""

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
    """A StepwiseNetwork whose steps enter as vectors, each joined by one vector for each condition.

    Weights: those of `embed`, which turns inputs into vectors (B, T, E), and `conditions.n` of the n-th condition;
    `input_size` is the size of the whole. `composer.toolkit.models.lstm_numpy.InputLayer` has the same in numpy.
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
        """`size` is E, `condition_size` the size of a condition's vector, `condition_dropout` how often none is shown
        in training.
        """
        super().__init__(spec, distribution)
        self.embed = embed
        self.conditions = nn.ModuleList(
            _condition_table(len(each), condition_size) for each in spec.conditions.values()
        )
        self.input_size, self.condition_dropout = size + condition_size * len(spec.conditions), condition_dropout

    def tie_weights(self, output: nn.Linear) -> None:
        """Let tokens leave by the table that they enter by: both then learn from every step (Press and Wolf 2017).

        It is saved under the names of both. Its width must be that of what goes into `output`.
        """
        output.weight = cast("nn.Embedding", self.embed).weight

    def embed_inputs(self, inputs: Tensor, conditions: Mapping[str, Tensor]) -> Tensor:
        """The vectors (B, T, width)."""
        vectors = [self.embed(inputs)]
        for name, table in zip(self.spec.conditions, self.conditions, strict=True):
            vectors.append(table((conditions[name] + 1).expand(inputs.shape[:2])))
        return torch.cat(vectors, -1) if len(vectors) > 1 else vectors[0]

    def drop_conditions(self, batch: Batch) -> Batch:
        """Without some of the conditions of some rows while training, so that pieces without them are learnt too.

        What is hidden is hidden for the whole window.
        """
        if not (self.training and batch.conditions):
            return batch
        conditions = {
            name: index.masked_fill(torch.rand(len(index), 1, device=index.device) < self.condition_dropout, -1)
            for name, index in ((name, batch.conditions[name]) for name in self.spec.conditions)
        }
        return replace(batch, conditions=conditions)

    def init_sparse_output(self, output: nn.Linear) -> None:
        """First weights where steps are frames: few units of many are active.

        Their sum must be as large as a token's vector, and most chances small.
        """
        if self.spec.kind is StepKind.FRAMES:
            if isinstance(self.embed, nn.Linear):
                nn.init.normal_(self.embed.weight)
            nn.init.constant_(output.bias[: self.spec.size], SPARSE_LOGIT)
            nn.init.zeros_(output.bias[self.spec.size :])


def _condition_table(values: int, size: int) -> nn.Embedding:
    """A condition's vectors. Row 0 stands for "any value": first their mean, as it may be that nothing teaches it."""
    table = nn.Embedding(1 + values, size)
    with torch.no_grad():
        table.weight[0] = table.weight[1:].mean(0)
    return table


def make_embedding(spec: SequenceSpec, size: int) -> nn.Module:
    """What turns steps into vectors of `size`: a row of a table, or for frames a linear map."""
    return nn.Embedding(spec.size, size) if spec.kind is StepKind.TOKENS else nn.Linear(spec.size, size)


@torch.no_grad()
def init_forget_bias(lstm: nn.LSTM) -> None:
    """Let forget gates begin open (Jozefowicz, Zaremba and Sutskever 2015)."""
    for layer in range(lstm.num_layers):
        getattr(lstm, f"bias_ih_l{layer}")[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0


def lstm_with_resets(
    lstm: nn.LSTM, vectors: Tensor, state: tuple[Tensor, Tensor], reset: Tensor | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The outputs (B, T, H) of `lstm` over `vectors`, beginning anew where `reset`, and the state after the last."""
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
    """What `lstm` gives; where it would wait for the random numbers between its layers, these are gone through here."""
    if not (lstm.training and lstm.dropout and vectors.device.type == "cpu"):
        after: tuple[Tensor, tuple[Tensor, Tensor]] = lstm(vectors, state)
        return after
    ends = []
    for layer, (weights, hidden, cell) in enumerate(zip(lstm.all_weights, *state, strict=True)):
        entering = drop(vectors, lstm.dropout) if layer else vectors
        vectors, *end = torch.lstm(
            entering, (hidden[None], cell[None]), tuple(weights), True, 1, 0.0, True, False, True
        )
        ends.append(end)
    hidden, cell = (torch.cat(parts) for parts in zip(*ends, strict=True))
    return vectors, (hidden, cell)


def _segments(reset: Tensor | None, length: int) -> Iterator[tuple[int, int]]:
    """The window cut wherever a piece begins in any row, as (start, stop): within a stretch, states only go on."""
    begins = [] if reset is None else reset.any(0).nonzero()[:, 0].tolist()
    return pairwise(sorted({0, *begins, length}))
