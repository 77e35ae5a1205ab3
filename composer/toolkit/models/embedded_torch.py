"""Base class of networks that embed their input, and need only layers between its vectors and the output."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from composer.api.errors import PluginError
from composer.api.network import Batch
from composer.api.sequence import SequenceSpec, StepKind
from composer.toolkit.models.outputs import SPARSE_LOGIT, Distribution
from composer.toolkit.models.stepwise_torch import StepwiseNetwork

__all__ = ["EmbeddedNetwork", "make_embedding", "with_resets"]


class EmbeddedNetwork(StepwiseNetwork):
    """A StepwiseNetwork that embeds its input. Subclasses implement `initial_core_state` and `core`.

    The embedding of the step, one embedding per condition and one per position feature, concatenated, are the vectors
    (B, T, `input_size`) that `core` turns into outputs. A whole GRU:

        class GruNetwork(EmbeddedNetwork):
            def __init__(self, spec, config):
                super().__init__(spec, config.embedding)
                self.gru = nn.GRU(self.input_size, config.hidden, batch_first=True)
                self.output = self.make_output(config.hidden)

            def initial_core_state(self, rows):
                return (torch.zeros(1, rows, self.gru.hidden_size),)

            def core(self, vectors, state, reset):
                def gru(vectors, state):
                    outputs, hidden = self.gru(vectors, state[0])
                    return outputs, (hidden,)

                return with_resets(gru, vectors, state, reset)

    Weights: `embed` (an embedding, or for frames a linear map), `conditions.n` and `features.n` for condition and
    feature n, and `output`. `composer.toolkit.models.embedded_numpy` has the same in numpy.
    """

    output: nn.Linear
    """The last layer, from `make_output`."""

    def __init__(
        self,
        spec: SequenceSpec,
        size: int,
        *,
        embed: nn.Module | None = None,
        condition_size: int = 16,
        condition_dropout: float = 0.1,
        feature_size: int = 16,
        distribution: Distribution | None = None,
    ) -> None:
        """`size` is that of a step's embedding; `embed`, if given, makes it from inputs (B, T) or (B, T, V).

        `condition_dropout` is the rate at which conditions are hidden in training.
        """
        super().__init__(spec, distribution)
        self.embed = make_embedding(spec, size) if embed is None else embed
        tables = (_condition_table(len(each), condition_size) for each in spec.conditions.values())
        self.conditions = nn.ModuleList(tables)
        self.features = nn.ModuleList(nn.Embedding(count, feature_size) for count in spec.features.values())
        self.input_size = size + condition_size * len(spec.conditions) + feature_size * len(spec.features)
        self.condition_dropout = condition_dropout

    @abstractmethod
    def initial_core_state(self, rows: int) -> tuple[Tensor, ...]:
        """Return the state of the core before a piece: tensors (layers, B, ...), on any device."""

    def initial_layer_states(self, rows: int) -> tuple[Tensor, ...]:
        return tuple(
            part.to(self.device) for part in self._checked(self.initial_core_state(rows), rows, "initial_core_state")
        )

    @abstractmethod
    def core(
        self, vectors: Tensor, state: tuple[Tensor, ...], reset: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return what `output` gets (B, T, H) for `vectors` (B, T, input_size), and the state after the last step.

        Where `reset` (B, T) is true, the state returns to `initial_layer_states` before the step; see `with_resets`.
        """

    def forward(
        self,
        inputs: Tensor,
        state: tuple[Tensor, ...],
        reset: Tensor | None,
        conditions: Mapping[str, Tensor],
        features: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, state = self.core(self.embed_inputs(inputs, conditions, features), state, reset)
        if not hasattr(self, "output"):
            raise self._fault("has no layer `output`: set `self.output = self.make_output(H)` in its `__init__`")
        size, expected = getattr(self.output, "in_features", outputs.shape[-1]), inputs.shape[:2]
        if outputs.shape != (*expected, size):
            raise self._fault(
                f"returned outputs of shape {tuple(outputs.shape)} from `core`, but `make_output` was given {size}: "
                f"they must be (B, T, {size}), here {(*expected, size)}"
            )
        return self.output(outputs), self._checked(state, len(inputs), "core")

    @torch.no_grad()
    def hidden_states(self, batch: Batch, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs of `core` (B, T, H), from which `output` computes the next step, and the state."""
        state = self.initial_layer_states(len(batch.inputs)) if state is None else state
        vectors = self.embed_inputs(batch.inputs, batch.conditions, batch.features)
        outputs, state = self.core(vectors, state, batch.reset)
        return outputs, state

    def _checked(self, state: tuple[Tensor, ...], rows: int, method: str) -> tuple[Tensor, ...]:
        """Return the state that a `method` returned, if each of its tensors is (layers, B, ...)."""
        if isinstance(state, Tensor):
            raise self._fault(f"returned a tensor as the state from `{method}`: it must be a tuple of tensors")
        for number, part in enumerate(state):
            if part.dim() < 2 or part.shape[1] != rows:
                raise self._fault(
                    f"returned a state from `{method}` whose tensor {number} has the shape {tuple(part.shape)}: it "
                    f"must be (layers, B, ...), here with {rows} rows on the second axis"
                )
        return state

    def _fault(self, fault: str) -> PluginError:
        return PluginError(f"{type(self).__name__} {fault}", "run the contract test: composer plugins check NAME")

    def embed_inputs(self, inputs: Tensor, conditions: Mapping[str, Tensor], features: Tensor | None = None) -> Tensor:
        """Return the input vectors (B, T, input_size)."""
        vectors = [self.embed(inputs)]
        for name, table in zip(self.spec.conditions, self.conditions, strict=True):
            vectors.append(table((conditions[name] + 1).expand(inputs.shape[:2])))
        if features is not None:
            vectors += [table(features[..., number]) for number, table in enumerate(self.features)]
        return torch.cat(vectors, -1) if len(vectors) > 1 else vectors[0]

    def make_output(self, size: int, *, tied: bool = False) -> nn.Linear:
        """Return a linear layer from vectors of `size` to the outputs of the distribution.

        It starts with few active units in a frame. If `tied`, it shares its matrix with the token embedding, which must
        have the same size; it is saved under both names (Press and Wolf 2017).
        """
        output = nn.Linear(size, self.distribution.outputs)
        if self.spec.kind is StepKind.FRAMES:
            # the sum of the vectors of a few active units must be as large as a token's
            if isinstance(self.embed, nn.Linear):
                nn.init.normal_(self.embed.weight)
            nn.init.constant_(output.bias[: self.spec.size], SPARSE_LOGIT)
            nn.init.zeros_(output.bias[self.spec.size :])
        if tied:
            output.weight = cast("nn.Embedding", self.embed).weight
        return output

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


def _condition_table(values: int, size: int) -> nn.Embedding:
    """Return the embedding of a condition. Row 0, for unknown, starts as their mean, since it may never be trained."""
    table = nn.Embedding(1 + values, size)
    with torch.no_grad():
        table.weight[0] = table.weight[1:].mean(0)
    return table


def make_embedding(spec: SequenceSpec, size: int) -> nn.Module:
    """Return a module that turns steps into vectors of `size`: an embedding, or for frames a linear map."""
    return nn.Embedding(spec.size, size) if spec.kind is StepKind.TOKENS else nn.Linear(spec.size, size)


Layers = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, tuple[Tensor, ...]]]
"""From vectors (B, T, I) and a state to outputs (B, T, H) and the state after them."""


def with_resets(
    layers: Layers, vectors: Tensor, state: tuple[Tensor, ...], reset: Tensor | None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the outputs (B, T, H) of `layers` over `vectors`, clearing the state at each `reset`, and the last state.

    States are (layers, B, ...) and 0 before a piece.
    """
    outputs = []
    for start, stop in _segments(reset, vectors.shape[1]):
        if reset is not None:
            keep = ~reset[:, start]
            state = tuple(part * keep.view(1, -1, *[1] * (part.dim() - 2)) for part in state)
        output, state = layers(vectors[:, start:stop], state)
        outputs.append(output)
    return torch.cat(outputs, 1), state


def _segments(reset: Tensor | None, length: int) -> Iterator[tuple[int, int]]:
    """Split the window wherever a piece starts in any row, into (start, stop) without resets inside."""
    begins = [] if reset is None else reset.any(0).nonzero()[:, 0].tolist()
    return pairwise(sorted({0, *begins, length}))
