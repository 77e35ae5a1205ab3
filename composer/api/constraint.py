"""What a generated piece may contain: sets of allowed tokens, rules for frames, and the automaton that gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from composer.api.sequence import AnyStep

Mask = int
"""A set of tokens as the bits of an integer: bit i is set if token i is allowed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At least `min_active` and at most `max_active` of the units in `units` (a bit set) are active in one frame.

    If too few are active, the most likely others that are not forced off are added, so `units` must hold enough of
    them.
    """

    units: Mask
    max_active: int
    min_active: int = 0


@dataclass(frozen=True, slots=True)
class FrameRule:
    """Constraint on one frame: units forced off or on (bit sets), and limits on how many are active.

    `project`, if given, turns any frame into a legal one. It is for rules that depend on the frame itself, such as a
    hold in a stacked frame that needs its onset. `in_order` is for recorded pieces: at temperatures above 1, units that
    depend on each other are drawn in order until a limit is reached, rather than given how many may follow.
    """

    must_be_off: Mask = 0
    must_be_on: Mask = 0
    limits: tuple[Limit, ...] = ()
    project: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None
    in_order: bool = False


class Constraint(ABC):
    """An automaton over steps that accepts exactly the allowed pieces. Immutable; states are ints."""

    @abstractmethod
    def start(self, primer: Sequence[AnyStep]) -> int:
        """Return the state after `primer`. Raises Unsatisfiable if no allowed piece begins with it."""

    @abstractmethod
    def step(self, state: int, step: AnyStep) -> int:
        """Return the state after an allowed `step`."""

    @abstractmethod
    def allowed(self, state: int) -> Mask | FrameRule:
        """Return what may come next: a nonempty set of tokens, or the rule for a frame."""

    def features(self, state: int) -> tuple[int, ...]:
        """Return the position features of the step that comes next, in the order of the spec's `features`.

        Each is below its number of values. Before the end symbol they count on as if another step came.
        """
        return ()

    def ends(self, state: int) -> bool:
        """Return whether the piece ends here, before the next step.

        It is for frames, which have no end symbol: pieces whose constraint never ends them have the maximum length.
        """
        return False

    def fixed_step(self, state: int) -> int | None:
        """Return a number for the step that comes next if it is given, as in kept bars or a copy; else None.

        The numbers increase, and each piece has all of them. At these steps, pieces that are generated given what
        follows are compared.
        """
        return None

    def log_weight(self, state: int, step: AnyStep) -> float:
        """Return the logarithm of the factor by which an allowed `step` changes the weight of a piece; 0 for none.

        It is for what is better but not required. A frame with a factor below 1 is taken with this probability, else
        drawn again. In pieces that are generated given what follows, the factor changes the weight of a particle.
        """
        return 0.0

    @abstractmethod
    def complete(self, state: int) -> Sequence[AnyStep]:
        """Return a shortest valid ending from `state`, with the end symbol if the sequence has one.

        Empty if no ending can complete the piece.
        """
