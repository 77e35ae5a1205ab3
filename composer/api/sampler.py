"""Interface of samplers: generate from a trained model, step by step or many steps at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.sampling.filters import BatchSamplingParams, Bools, Draw, Floats, Ints, RNGStream, StepRNG

State = Any
"""The recurrent state of all rows; opaque to everything but the sampler that made it."""


class Sampler(Protocol):
    """Generates with a trained model. Steps are arrays: token ids (B,) or frames (B, V) of 0 and 1.

    `advance` may work in place: afterward, use only the state that it returned. `gather_rows` leaves its arguments
    unchanged. A row's result does not depend on the other rows.

    `features` (B, F) are the position features of the step that comes next, one column for each of the spec's. They are
    given if the spec has any, and only then: a model that is not `positional` may leave the parameter out.
    """

    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> State:
        """Return the state before each row's first step; row r is conditioned on `conditions[r]`, possibly empty."""
        ...

    def advance(
        self, state: State, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> State:
        """Return the state after `steps`; rows that are not `active` keep theirs."""
        ...

    def sample(self, state: State, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        """Draw the next step of each row, without changing the state."""
        ...

    def gather_rows(self, state: State, rows: Ints, fresh: State | None = None) -> State:
        """Return the state of `rows`, in this order. Row -1 is the single row of `fresh`."""
        ...

    def log_prob(self, state: State, steps: NDArray[Any]) -> Floats:
        """Return the log-probability (B,), in nats, of `steps` coming next. Raises Unsupported if it is not exact."""
        ...


@runtime_checkable
class BlockSampler(Sampler, Protocol):
    """A sampler that can also generate many steps per call, without waiting for each draw."""

    def run(self, state: State, params: BatchSamplingParams, rng: RNGStream, steps: int) -> tuple[Draw, State]:
        """Draw `steps` steps, (B, steps) or (B, steps, V), and return them with the state after them.

        Equal to alternating `sample` and `advance` with `params.at_step(0)`, `params.at_step(1)`, ... and
        `rng.at_step(0)`, `rng.at_step(1)`, ... under one rule; `logp` and `masked_prob` are (B, steps). Rows continue
        after an end symbol; ignore what they draw then. Use only the returned state afterward. Raises Unsupported for
        rules with `project`.
        """
        ...
