"""Settings of the `rnnrbm` model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from composer.toolkit.models.settings import check_positive, check_rates, invalid_setting


@dataclass(frozen=True, slots=True)
class RnnRbmConfig:
    """Settings of an RNN-RBM."""

    hidden: int = field(default=150, metadata={"help": "hidden units of each frame's RBM"})
    recurrent: int = field(default=100, metadata={"help": "recurrent units"})
    cell: Literal["tanh", "lstm"] = field(default="tanh", metadata={"help": "type of the recurrent units"})
    dropout: float = field(default=0.0, metadata={"help": "dropout rate between recurrent units and RBM biases"})
    k: int = field(default=15, metadata={"help": "Gibbs steps of contrastive divergence in training"})
    gibbs: int = field(default=25, metadata={"help": "Gibbs steps per generated frame"})
    pretraining: int = field(
        default=10, metadata={"help": "epochs of pretraining a single RBM on all frames with CD-1"}
    )
    pretraining_lr: float = field(default=0.01, metadata={"help": "learning rate of pretraining"})

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "recurrent", "k", "gibbs")
        check_rates(self, "dropout")
        if self.cell not in ("tanh", "lstm"):
            raise invalid_setting(self, "cell", "use tanh or lstm")
        if self.pretraining < 0:
            raise invalid_setting(self, "pretraining", "use a number of epochs, or 0 for none")
        if not 0 < self.pretraining_lr < float("inf"):
            raise invalid_setting(self, "pretraining_lr", "use a number above 0")
