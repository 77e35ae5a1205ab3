"""Settings of the `attn-lstm` model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api import OptionError
from composer.api.fields import invalid_setting, option
from composer.toolkit.models.settings import OUTPUT_HELP, POSITION_HELP, TIED_HELP, check_positive, check_rates


@dataclass(frozen=True, slots=True)
class AttnLstmConfig:
    """Settings of an LSTM with attention.

    `stack`, `dense`, `leak`, `norm`, `pitches` and `jitter` build the published variant: see `published_layers.py`.
    """

    hidden: int = option(256, "cells per LSTM layer")
    layers: int = option(2, "number of LSTM layers")
    embedding: int = option(64, "embedding size of a token or frame")
    tied: bool = option(False, TIED_HELP)
    window: int = option(64, "number of steps that attention covers, including the current one")
    heads: int = option(4, "attention heads, with `attention=dot`")
    attention: Literal["dot", "scaling"] = option(
        "dot", "`dot`: dot-product attention over earlier outputs; `scaling`: scale each output by its own weight"
    )
    dropout: tuple[float, ...] = option((0.2,), "dropout rate, or one for each successive block, such as 0.3,0.2")
    input_dropout: float | None = option(
        None, "dropout rate of the embeddings; none = the first `dropout`, or 0 with `pitches`"
    )
    condition: int = option(16, "embedding size of a condition")
    condition_dropout: float = option(
        0.1, "probability of hiding a condition in training, so that the model also works without it"
    )
    position: int = option(16, POSITION_HELP)
    stack: tuple[int, ...] = option(
        (), "cells of each LSTM layer, such as 512,256; replaces `layers` and `hidden`", metavar="N,..."
    )
    dense: tuple[int, ...] = option(
        (), "sizes of pairs of dense layers; pair n follows attention after LSTM layer n", metavar="N,..."
    )
    leak: float = option(1.0, "negative slope of the leaky ReLU after LSTM and dense layers; 1 = no ReLU")
    norm: Literal["none", "batch"] = option("none", "normalization after the ReLU")
    pitches: bool = option(
        False, "feed frames as one value per pitch (1 for an onset, 0.5 for a hold), without an embedding"
    )
    jitter: bool = option(False, "add noise to the values of `pitches` in training")
    output: Literal["plain", "nade"] = option("plain", OUTPUT_HELP)
    nade_units: int = option(128, "hidden units of the NADE")

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "layers", "embedding", "window", "heads", "condition", "position", "nade_units")
        for name in ("stack", "dense"):
            if any(size < 1 for size in getattr(self, name)):
                raise invalid_setting(self, name, f"use whole numbers above 0, such as --set {name}=256,128")
        if not self.dropout:
            raise invalid_setting(self, "dropout", "use at least one number from 0 to below 1")
        check_rates(self, "dropout", "input_dropout", "condition_dropout")
        if not 0 <= self.leak <= 1:
            raise invalid_setting(self, "leak", "use a number from 0 to 1")
        if len(self.dense) > len(self.layer_sizes):
            raise OptionError(
                f"`dense` has {len(self.dense)} sizes for {len(self.layer_sizes)} LSTM layers",
                "give at most one size per LSTM layer",
            )
        if self.jitter and not self.pitches:
            raise OptionError("`jitter` needs `pitches`", "add --set pitches=on")

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Cells of each LSTM layer."""
        return self.stack or (self.hidden,) * self.layers

    def has_attention(self, level: int) -> bool:
        """Return whether attention follows LSTM layer `level`: those with dense layers, or by default the last."""
        return level < len(self.dense) if self.dense else level == len(self.layer_sizes) - 1

    @property
    def embedding_size(self) -> int:
        return (self.dense[len(self.layer_sizes) - 1 :] or self.layer_sizes)[-1] if self.tied else self.embedding

    @property
    def input_dropout_rate(self) -> float:
        if self.input_dropout is not None:
            return self.input_dropout
        return 0.0 if self.pitches else self.dropout_after(0)

    def dropout_after(self, block: int) -> float:
        return self.dropout[min(block, len(self.dropout) - 1)]
