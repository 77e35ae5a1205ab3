"""`rnnrbm`: one restricted Boltzmann machine per frame, its biases set by a recurrent network over the frames before.

Boulanger-Lewandowski, Bengio and Vincent 2012. The equations stand in `network.py`, which learns them in torch, and
again in `sampler.py`, which plays them in numpy; `partition.py` estimates how likely a frame is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from composer.api import Model, OptionError, Sampler, SequenceSpec, StepKind, hookimpl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network


@dataclass(frozen=True, slots=True)
class RnnRbmConfig:
    """The settings of an RNN-RBM."""

    hidden: int = field(default=150, metadata={"help": "hidden units of each frame's Boltzmann machine"})
    recurrent: int = field(default=100, metadata={"help": "units of the recurrent network"})
    cell: Literal["tanh", "lstm"] = field(default="tanh", metadata={"help": "what the recurrent units are"})
    dropout: float = field(
        default=0.0, metadata={"help": "share of the recurrent units that a frame's machine does not see in training"}
    )
    k: int = field(default=15, metadata={"help": "Gibbs steps of contrastive divergence while training"})
    gibbs: int = field(default=25, metadata={"help": "Gibbs steps to each frame that is composed"})
    pretraining: int = field(default=10, metadata={"help": "epochs that frames are learnt alone first, with CD-1"})
    pretraining_lr: float = field(default=0.01, metadata={"help": "learning rate of the pretraining"})

    def __post_init__(self) -> None:
        for name in ("hidden", "recurrent", "k", "gibbs"):
            if getattr(self, name) < 1:
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", "give a whole number above 0")
        if not 0 <= self.dropout < 1:
            raise OptionError(f"`dropout` cannot be {self.dropout}", "give a share from 0 to below 1")
        if self.cell not in ("tanh", "lstm"):
            raise OptionError(f"there is no cell `{self.cell}`", "choose tanh or lstm")
        if self.pretraining < 0:
            raise OptionError(
                f"`pretraining` cannot be {self.pretraining}", "give a number of epochs, or 0 for no pretraining"
            )
        if not 0 < self.pretraining_lr < float("inf"):
            raise OptionError(
                f"`pretraining_lr` cannot be {self.pretraining_lr:g}", "give a number above 0, such as 0.01"
            )


class RnnRbm(Model):
    """The descriptor."""

    api = 1
    name = "rnnrbm"
    summary = "a recurrent network that sets the biases of one Boltzmann machine per frame: notes that go together"
    accepts = frozenset({StepKind.FRAMES})
    Config = RnnRbmConfig

    def network(self, spec: SequenceSpec, config: RnnRbmConfig) -> Network:
        from composer_rnnrbm.network import RnnRbmNetwork

        return RnnRbmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: RnnRbmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_rnnrbm.sampler import RnnRbmSampler

        return RnnRbmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """This plugin's model."""
    return RnnRbm
