"""Sample the last bars of a piece again until it closes: go back to the state before them, with other random numbers.

A model recognizes a close when it sees one, but does not prepare its own. So the last bars are drawn from the model,
given what is before them, until a judge says that the piece closes; if it never does, the best of the attempts stays.
All attempts continue the same series of random numbers, so that a piece stays a function of its own seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from composer.api import Step
from composer.api.sampler import State

CLOSES = 1.0
"""The value of an ending that needs no other attempt."""


@dataclass(frozen=True, slots=True)
class Endings:
    """How pieces are made to close.

    `first_step` returns the number of steps before the last bars of a piece with a plan, None if it has none. `judge`
    returns how well a piece with these steps and this plan closes, CLOSES at most. Each ending is the best of at most
    `tries`.
    """

    first_step: Callable[[str], int | None]
    judge: Callable[[Sequence[Step], str], float]
    tries: int


class ChosenEnding(NamedTuple):
    """Where the chosen ending of a piece begins: the number of steps before it, and of random draws before it.

    With the seed, it reproduces the piece without the other endings.
    """

    step: int
    draws: int


class Attempt(NamedTuple):
    """One ending: its value, the random draws before it, its sampled steps, and the `completion` that follows them."""

    value: float
    draws: int
    steps: Sequence[Step]
    logp: Sequence[float]
    masked_prob: Sequence[float]
    completion: Sequence[Step]
    complete: bool


@dataclass(slots=True)
class EndingInProgress:
    """The ending of a row's piece: the state of sampler and constraint before it, and the best attempt so far.

    `completion` is how the constraint could have completed the piece there; near the maximum length the loop needs it.
    It begins after `step` steps; the current attempt after `draws` random draws, the first one after `first_draws`.
    """

    step: int
    draws: int
    state: State
    constraint_state: int
    completion: Sequence[Step]
    attempts: int = 0
    best: Attempt | None = None
    first_draws: int = field(init=False)

    def __post_init__(self) -> None:
        self.first_draws = self.draws

    def add(self, attempt: Attempt) -> None:
        """Count an attempt, and keep it if it is better than all before it."""
        self.attempts += 1
        if self.best is None or attempt.value > self.best.value:
            self.best = attempt

    @property
    def chosen(self) -> ChosenEnding | None:
        """The best attempt; None if it is the first one, which needs no record."""
        if self.best is None or self.best.draws == self.first_draws:
            return None
        return ChosenEnding(self.step, self.best.draws)
