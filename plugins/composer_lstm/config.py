"""Settings of the `lstm` model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api.fields import option
from composer.toolkit.models.settings import OUTPUT_HELP, POSITION_HELP, TIED_HELP, check_positive, check_rates


@dataclass(frozen=True, slots=True)
class LstmConfig:
    """Settings of an LSTM."""

    hidden: int = option(256, "cells per LSTM layer")
    layers: int = option(2, "number of LSTM layers")
    embedding: int = option(64, "embedding size of a token or frame")
    tied: bool = option(False, TIED_HELP)
    dropout: float = option(0.2, "dropout rate after each layer")
    input_dropout: float | None = option(None, "dropout rate of the embeddings; none = same as `dropout`")
    condition: int = option(16, "embedding size of a condition")
    condition_dropout: float = option(
        0.1, "probability of hiding a condition in training, so that the model also works without it"
    )
    position: int = option(16, POSITION_HELP)
    output: Literal["plain", "nade"] = option("plain", OUTPUT_HELP)
    nade_units: int = option(128, "hidden units of the NADE")

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "layers", "embedding", "condition", "position", "nade_units")
        check_rates(self, "dropout", "input_dropout", "condition_dropout")

    @property
    def embedding_size(self) -> int:
        return self.hidden if self.tied else self.embedding

    @property
    def input_dropout_rate(self) -> float:
        return self.dropout if self.input_dropout is None else self.input_dropout
