"""`attn-lstm`: a stack of LSTM layers that looks back at its own outputs of the last steps, for tokens and for frames.

An LSTM keeps what it has heard in a state of fixed size; attention lets it look at its outputs of the last `window`
steps as they were (Bahdanau, Cho and Bengio 2015; Vaswani et al. 2017). It is causal: nothing later than the present
step is seen, and nothing from before the piece.
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

ATTENTION = {
    "dot": "the outputs of the window, weighed by how well they answer the present one, join it",
    "scaling": "each output is scaled by its own weight in the window",
}


@dataclass(frozen=True, slots=True)
class AttnLstmConfig:
    """The settings of an LSTM with attention.

    `stack`, `dense`, `leak`, `norm` and `pitches` build other networks than the usual one: see `network.py`.
    """

    hidden: int = field(default=256, metadata={"help": "cells in each LSTM layer"})
    layers: int = field(default=2, metadata={"help": "LSTM layers, one above the other"})
    embedding: int = field(default=64, metadata={"help": "size of the vector that a step is turned into"})
    tied: bool = field(default=False, metadata={"help": TIED_HELP})
    window: int = field(default=64, metadata={"help": "steps that attention looks at, the present one among them"})
    heads: int = field(default=4, metadata={"help": "ways of looking at them, with `dot`"})
    attention: Literal["dot", "scaling"] = field(
        default="dot", metadata={"help": "; ".join(f"`{key}`: {text}" for key, text in ATTENTION.items())}
    )
    dropout: tuple[float, ...] = field(
        default=(0.2,),
        metadata={"help": "share of outputs zeroed while training; several: of one block after another"},
    )
    input_dropout: float | None = field(
        default=None,
        metadata={
            "help": "share of the vectors of steps zeroed while training; none: the first `dropout`, of pitches 0"
        },
    )
    condition: int = field(default=16, metadata={"help": "size of the vector that a condition's value is turned into"})
    condition_dropout: float = field(
        default=0.1,
        metadata={"help": "share of conditions hidden while training; 0: only pieces without one teach playing so"},
    )
    stack: tuple[int, ...] = field(
        default=(), metadata={"help": "cells of each LSTM layer, where they are not `layers` times `hidden`"}
    )
    dense: tuple[int, ...] = field(
        default=(),
        metadata={"help": "sizes of pairs of dense layers, after attention in the first layers of the stack"},
    )
    leak: float = field(
        default=1.0, metadata={"help": "slope below zero of the rectifier after LSTM and dense layers; 1: no rectifier"}
    )
    norm: Literal["none", "batch"] = field(default="none", metadata={"help": "normalisation after the rectifiers"})
    pitches: bool = field(
        default=False,
        metadata={"help": "frames enter as one value for each pitch: 1 struck, .5 held, and no embedding"},
    )
    jitter: bool = field(default=False, metadata={"help": "with `pitches`, blur these values while training"})
    output: Literal["plain", "nade"] = field(
        default="plain", metadata={"help": "; ".join(f"`{key}`: {text}" for key, text in OUTPUTS.items())}
    )
    nade_units: int = field(default=128, metadata={"help": "hidden units of a `nade`"})

    def __post_init__(self) -> None:
        for name in ("hidden", "layers", "embedding", "window", "heads", "condition", "nade_units"):
            if getattr(self, name) < 1:
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", "give a whole number above 0")
        for name in ("stack", "dense"):
            if any(size < 1 for size in getattr(self, name)):
                raise OptionError(f"a size in `{name}` cannot be {min(getattr(self, name))}", "give numbers above 0")
        if not self.dropout:
            raise OptionError("`dropout` cannot be empty", "give a share from 0 to below 1")
        shares = ("condition_dropout", self.condition_dropout), ("input_dropout", self.input_dropout_rate)
        for name, share in (*(("dropout", each) for each in self.dropout), *shares):
            _check_share(name, share)
        if not 0 <= self.leak <= 1:
            raise OptionError(f"`leak` cannot be {self.leak}", "give a slope from 0 to 1")
        if len(self.dense) > len(self.layer_sizes):
            raise OptionError(
                f"`dense` has {len(self.dense)} sizes, and there are {len(self.layer_sizes)} LSTM layers",
                "give one for each layer that attention follows",
            )
        if self.jitter and not self.pitches:
            raise OptionError("`jitter` blurs the values of pitches, and there are none", "add --set pitches=on")

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The cells of each LSTM layer."""
        return self.stack or (self.hidden,) * self.layers

    def has_attention(self, level: int) -> bool:
        """Whether attention follows LSTM layer `level`: those with dense layers, or where there are none, the last."""
        return level < len(self.dense) if self.dense else level == len(self.layer_sizes) - 1

    @property
    def embedding_size(self) -> int:
        """The size of the vector that a step is turned into."""
        return (self.dense[len(self.layer_sizes) - 1 :] or self.layer_sizes)[-1] if self.tied else self.embedding

    @property
    def input_dropout_rate(self) -> float:
        """The share zeroed of what enters the first layer."""
        if self.input_dropout is not None:
            return self.input_dropout
        return 0.0 if self.pitches else self.dropout_after(0)

    def dropout_after(self, block: int) -> float:
        """The share of outputs zeroed after block number `block`."""
        return self.dropout[min(block, len(self.dropout) - 1)]


def head_sizes(size: int, heads: int) -> tuple[int, int]:
    """The size of a key and of a value of each of several heads that look at outputs of `size`.

    Together the keys are a quarter of an output, and the values half of one: larger ones learn a little more and
    play slower.
    """
    return -(-size // (4 * heads)), -(-size // (2 * heads))


def _check_share(name: str, share: float) -> None:
    if not 0 <= share < 1:
        raise OptionError(f"`{name}` cannot be {share}", "give a share from 0 to below 1")


class AttnLstm(Model):
    """The descriptor."""

    api = 1
    name = "attn-lstm"
    summary = "LSTM layers that look back at their own outputs of the last steps"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    conditional = True
    Config = AttnLstmConfig

    def check(self, kind: StepKind, config: AttnLstmConfig) -> None:
        check_output(kind, config.output)
        check_tied(kind, config.tied)

    def network(self, spec: SequenceSpec, config: AttnLstmConfig) -> Network:
        from composer_attn_lstm.network import AttnLstmNetwork

        return AttnLstmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: AttnLstmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_attn_lstm.sampler import AttnLstmSampler

        return AttnLstmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """This plugin's model."""
    return AttnLstm
