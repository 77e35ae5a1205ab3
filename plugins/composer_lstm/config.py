"""Settings of the `lstm` model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from composer.toolkit.models.settings import OUTPUT_HELP, TIED_HELP, check_positive, check_rates


@dataclass(frozen=True, slots=True)
class LstmConfig:
    """Settings of an LSTM."""

    hidden: int = field(default=256, metadata={"help": "cells per layer"})
    layers: int = field(default=2, metadata={"help": "number of LSTM layers"})
    embedding: int = field(default=64, metadata={"help": "embedding size of a token or frame"})
    tied: bool = field(default=False, metadata={"help": TIED_HELP})
    dropout: float = field(default=0.2, metadata={"help": "dropout rate after each layer"})
    input_dropout: float | None = field(
        default=None, metadata={"help": "dropout rate of the embeddings; none: same as `dropout`"}
    )
    condition: int = field(default=16, metadata={"help": "embedding size of a condition"})
    condition_dropout: float = field(
        default=0.1,
        metadata={"help": "rate at which conditions are hidden in training, so that the model also works without them"},
    )
    output: Literal["plain", "nade"] = field(default="plain", metadata={"help": OUTPUT_HELP})
    nade_units: int = field(default=128, metadata={"help": "hidden units of the NADE"})

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "layers", "embedding", "condition", "nade_units")
        check_rates(self, "dropout", "input_dropout", "condition_dropout")

    @property
    def embedding_size(self) -> int:
        return self.hidden if self.tied else self.embedding

    @property
    def input_dropout_rate(self) -> float:
        return self.dropout if self.input_dropout is None else self.input_dropout
