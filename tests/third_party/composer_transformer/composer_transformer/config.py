"""Settings of the `transformer` model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api import OptionError
from composer.api.fields import option
from composer.toolkit.models.settings import OUTPUT_HELP, POSITION_HELP, TIED_HELP, check_positive, check_rates

ROTARY_BASE = 10_000.0
"""The slowest pair of units turns by about 1 / ROTARY_BASE radians per step (Su et al. 2021)."""


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Settings of a transformer."""

    hidden: int = option(192, "size of the vector of a step, a multiple of twice the `heads`")
    layers: int = option(3, "number of layers")
    heads: int = option(4, "attention heads per layer")
    window: int = option(128, "number of steps that a layer attends to, including the current one")
    feedforward: int | None = option(None, "units of the feed-forward block of a layer; none = 4 times `hidden`")
    embedding: int = option(64, "embedding size of a token or frame")
    tied: bool = option(False, TIED_HELP)
    dropout: float = option(0.1, "dropout rate of the embeddings and after each block")
    condition: int = option(16, "embedding size of a condition")
    condition_dropout: float = option(
        0.1, "probability of hiding a condition in training, so that the model also works without it"
    )
    position: int = option(16, POSITION_HELP)
    output: Literal["plain", "nade"] = option("plain", OUTPUT_HELP)
    nade_units: int = option(128, "hidden units of the NADE")

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "layers", "heads", "window", "embedding", "condition", "position", "nade_units")
        if self.feedforward is not None:
            check_positive(self, "feedforward")
        check_rates(self, "dropout", "condition_dropout")
        if self.hidden % (2 * self.heads):
            multiple = 2 * self.heads * max(1, round(self.hidden / (2 * self.heads)))
            raise OptionError(
                f"`hidden={self.hidden}` cannot be divided among {self.heads} heads of an even size",
                f"use a multiple of {2 * self.heads}, such as --set hidden={multiple}",
            )

    @property
    def embedding_size(self) -> int:
        return self.hidden if self.tied else self.embedding

    @property
    def feedforward_size(self) -> int:
        return 4 * self.hidden if self.feedforward is None else self.feedforward

    @property
    def head_size(self) -> int:
        return self.hidden // self.heads
