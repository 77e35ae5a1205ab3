"""What a model is: a light descriptor with two faces, a network that learns and a sampler that plays.

The descriptor's module imports neither numpy nor torch; its `network` and `sampler` methods do, when they are called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from composer.api.representation import NoOptions
from composer.api.sequence import SequenceSpec, StepKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network
    from composer.api.sampling.filters import Bools, Draw, Floats, Ints, RNGStream, SamplingParams, StepRNG

State = Any
"""What a sampler remembers of the steps so far, for all rows; only the sampler that made it looks inside."""


class Sampler(Protocol):
    """The face of a model that plays. Steps are arrays: token ids (B,) or frames (B, V) of 0 and 1.

    `advance` may work in place: afterwards, only the state that it returned may be used. `gather_rows` leaves its
    arguments as they are. A row's result does not depend on what is in the other rows.
    """

    def initial_state(self, conditions: Sequence[Mapping[str, str]]) -> State:
        """The state before the first step of each row; row r is conditioned on `conditions[r]`, which may be empty."""
        ...

    def advance(self, state: State, steps: NDArray[Any], active: Bools | None = None) -> State:
        """The state after `steps`; rows that are not `active` stay as they are."""
        ...

    def sample(self, state: State, params: SamplingParams, rng: StepRNG) -> Draw:
        """Draw the next step of each row; the state stays as it is."""
        ...

    def gather_rows(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        """The state with these rows in this order. Row -1 is the single row of `fresh`."""
        ...

    def log_prob(self, state: State, steps: NDArray[Any]) -> Floats:
        """Log-probability (B,), in nats, of `steps` coming next. Raises Unsupported where there is no exact one."""
        ...


@runtime_checkable
class BlockSampler(Sampler, Protocol):
    """A sampler that can also compose many steps at a time, without waiting for what was drawn."""

    def run(self, state: State, params: SamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, State]:
        """Draw and observe `steps` steps; all of them, with steps (B, steps) or (B, steps, V), and the state after.

        They are what `sample` and `advance` in turn come to under one rule, with `how.step(0)`, `how.step(1)`, ... and
        `noise.at(0)`, `noise.at(1)`, ...; logp and refused are (B, steps). A row goes on after an end symbol, and what
        it draws then means nothing. Only the state that was returned may be used afterwards. Raises Unsupported for
        rules that `project`.
        """
        ...


class Model(ABC):
    """One kind of model. `api` is the version of the interface it was written for.

    `version` is raised when weights or settings that were saved before no longer mean the same.
    `accepts` are the kinds of sequences it can learn and `conditional` whether it can be conditioned on labels.
    `Config` is a frozen dataclass of its settings; a field's metadata may hold `help`.
    """

    api: ClassVar[int]
    name: ClassVar[str]
    summary: ClassVar[str]
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[StepKind]]
    conditional: ClassVar[bool] = False
    Config: ClassVar[type[Any]] = NoOptions

    def check(self, kind: StepKind, config: Any) -> None:
        """Raise OptionError where `config` is not for sequences of `kind`: it is called before any file is read."""
        return

    @abstractmethod
    def network(self, spec: SequenceSpec, config: Any) -> Network:
        """A new network for sequences of `spec`, its weights drawn from torch's global generator."""

    def sampler(self, spec: SequenceSpec, config: Any, weights: Mapping[str, NDArray[Any]]) -> Sampler | None:
        """A sampler in numpy with the network's `weights`, by their names in its state; None where there is none.

        A model without one is played through its network.
        """
        return None
