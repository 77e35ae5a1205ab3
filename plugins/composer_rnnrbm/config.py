"""Settings of the `rnnrbm` model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api.fields import invalid_setting, option
from composer.toolkit.models.settings import check_positive, check_rates


@dataclass(frozen=True, slots=True)
class RnnRbmConfig:
    """Settings of an RNN-RBM."""

    hidden: int = option(150, "hidden units of each frame's RBM")
    recurrent: int = option(100, "recurrent units")
    cell: Literal["tanh", "lstm"] = option("tanh", "type of the recurrent units")
    dropout: float = option(0.0, "dropout rate between recurrent units and RBM biases")
    k: int = option(15, "Gibbs steps of contrastive divergence in training")
    gibbs: int = option(25, "Gibbs steps per generated frame", sampling=True)
    gibbs_from: Literal["previous", "zeros"] = option(
        "previous", "where the Gibbs steps of a generated frame start: from the previous frame or from silence",
        sampling=True,
    )  # fmt: skip
    pretraining: int = option(10, "epochs of pretraining one RBM on all frames with CD-1; 0 = none")
    pretraining_lr: float = option(0.01, "learning rate of pretraining")

    def __post_init__(self) -> None:
        check_positive(self, "hidden", "recurrent", "k", "gibbs")
        check_rates(self, "dropout")
        if self.cell not in ("tanh", "lstm"):
            raise invalid_setting(self, "cell", "use tanh or lstm")
        if self.gibbs_from not in ("previous", "zeros"):
            raise invalid_setting(self, "gibbs_from", "use previous or zeros")
        if self.pretraining < 0:
            raise invalid_setting(self, "pretraining", "use a number of epochs, or 0 for none")
        if not 0 < self.pretraining_lr < float("inf"):
            raise invalid_setting(self, "pretraining_lr", "use a number above 0")
