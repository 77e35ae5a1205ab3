"""Interface of models: a lightweight descriptor that makes a network to train and a sampler to generate.

The descriptor's module imports neither numpy nor torch; its `network` and `sampler` methods import what they need.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from composer.api.representation import NoOptions
from composer.api.sampler import Sampler
from composer.api.sequence import SequenceSpec, StepKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network


class DataSize(NamedTuple):
    """The size of the training data.

    `pieces` and `steps` do not count variants, such as transpositions; `steps_with_variants` does. `held_out` counts
    the validation pieces.
    """

    pieces: int
    steps: int
    steps_with_variants: int
    held_out: int


class Model(ABC):
    """One model architecture. `api` is the interface version that it was written for.

    Raise `version` when weights or settings saved earlier would mean something else. `accepts` lists the sequence
    kinds that it can model, `conditional` whether it takes conditions, `positional` whether it takes position features
    (`SequenceSpec.features`). `Config` is a frozen dataclass of settings; a field's metadata may hold `help` and
    `metavar`.
    """

    api: ClassVar[int]
    name: ClassVar[str]
    summary: ClassVar[str]
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[StepKind]]
    conditional: ClassVar[bool] = False
    positional: ClassVar[bool] = False
    Config: ClassVar[type[Any]] = NoOptions

    def check(self, kind: StepKind, config: Any) -> None:
        """Raise OptionError if `config` does not fit sequences of `kind`; called before any file is read."""
        return

    def suggest(self, spec: SequenceSpec, size: DataSize) -> Mapping[str, Any]:
        """Return settings that suit training data of this size, for users who choose none.

        Their names are those of `--set`: fields of `Config`, and settings of the training such as `batch_size`,
        `seq_length`, `lr` and `epochs`. All others keep their defaults.
        """
        return {}

    @abstractmethod
    def network(self, spec: SequenceSpec, config: Any) -> Network:
        """Return a new network for `spec`, initialized from torch's global generator."""

    def sampler(self, spec: SequenceSpec, config: Any, weights: Mapping[str, NDArray[Any]]) -> Sampler | None:
        """Return a numpy sampler with the `weights` of a network's `state_dict()`.

        None if there is none; the network then generates.
        """
        return None
