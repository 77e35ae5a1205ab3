"""`lstm`: a stack of LSTM layers over the steps so far, for tokens and for frames.

Hochreiter and Schmidhuber 1997, with forget gates (Gers, Schmidhuber and Cummins 2000). The network and the sampler
are the same equations twice: `network.py` learns them in torch, `sampler.py` plays them in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from composer.api import Model, OptionError, Sampler, SequenceSpec, StepKind, hookimpl
from composer.toolkit.models.settings import OUTPUTS, TIED_HELP, check_output, check_tied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network


@dataclass(frozen=True, slots=True)
class LstmConfig:
    """The settings of an LSTM."""

    hidden: int = field(default=256, metadata={"help": "cells in each layer"})
    layers: int = field(default=2, metadata={"help": "layers, one above the other"})
    embedding: int = field(default=64, metadata={"help": "size of the vector that a step is turned into"})
    tied: bool = field(default=False, metadata={"help": TIED_HELP})
    dropout: float = field(default=0.2, metadata={"help": "share of each layer's outputs zeroed while training"})
    input_dropout: float | None = field(
        default=None, metadata={"help": "share of the vectors of steps zeroed while training; none: as `dropout`"}
    )
    condition: int = field(default=16, metadata={"help": "size of the vector that a condition's value is turned into"})
    condition_dropout: float = field(
        default=0.1,
        metadata={"help": "share of conditions hidden while training; 0: only pieces without one teach playing so"},
    )
    output: Literal["plain", "nade"] = field(
        default="plain", metadata={"help": "; ".join(f"`{key}`: {text}" for key, text in OUTPUTS.items())}
    )
    nade_units: int = field(default=128, metadata={"help": "hidden units of a `nade`"})

    def __post_init__(self) -> None:
        for name in ("hidden", "layers", "embedding", "condition", "nade_units"):
            if getattr(self, name) < 1:
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", "give a whole number above 0")
        for name in ("dropout", "input_dropout", "condition_dropout"):
            share = getattr(self, name)
            if share is not None and not 0 <= share < 1:
                raise OptionError(f"`{name}` cannot be {share}", "give a share from 0 to below 1")

    @property
    def embedding_size(self) -> int:
        """The size of the vector that a step is turned into."""
        return self.hidden if self.tied else self.embedding

    @property
    def input_dropout_rate(self) -> float:
        """The share of the first layer's input that is zeroed."""
        return self.dropout if self.input_dropout is None else self.input_dropout


class Lstm(Model):
    """The descriptor."""

    api = 1
    name = "lstm"
    summary = "a stack of LSTM layers: softmax over tokens, sigmoids or a NADE over the units of a frame"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    conditional = True
    Config = LstmConfig

    def check(self, kind: StepKind, config: LstmConfig) -> None:
        check_output(kind, config.output)
        check_tied(kind, config.tied)

    def network(self, spec: SequenceSpec, config: LstmConfig) -> Network:
        from composer_lstm.network import LstmNetwork

        return LstmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_lstm.sampler import LstmSampler

        return LstmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """This plugin's model."""
    return Lstm
