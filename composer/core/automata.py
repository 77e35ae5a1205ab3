"""A constraint followed in many rows at a time.

Of tokens, what the automaton was once asked stands in arrays: a step of all rows is two look-ups, and only what is new
is asked of the automaton itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, Kind, SequenceSpec, Step
from composer.api.sampling import How, mask_array

MOST_KNOWN = 30_000
"""How many states are in the arrays at most; a state takes five bytes for each token."""
FEW = 256
"""How many there is room for at first."""


class Rules(Protocol):
    """What each of B rows must obey next."""

    def under(self, how: How) -> How:
        """`how`, under the rules of the next step."""
        ...

    def begin(self, rows: NDArray[Any]) -> None:
        """Know that new pieces begin in these rows, after their primer."""
        ...

    def follow(self, steps: NDArray[Any], busy: NDArray[np.bool_]) -> None:
        """Go on by `steps`, (B,) or (B, V), in the rows that are `busy`."""
        ...

    def complete(self, row: int) -> Sequence[Step]:
        """The shortest ending of a row's piece; empty where none is known."""
        ...


def rules(constraint: Constraint | None, spec: SequenceSpec, primer: Sequence[Step], rows: int) -> Rules:
    """The rules of `rows` rows; where there is no constraint, there are none."""
    if constraint is None:
        return Anything()
    kind = TokenRules if spec.kind is Kind.TOKENS else FrameRules
    return kind(constraint, spec, constraint.start(primer), rows)


class Anything:
    """No rules."""

    def under(self, how: How) -> How:
        return how

    def begin(self, rows: NDArray[Any]) -> None:
        pass

    def follow(self, steps: NDArray[Any], busy: NDArray[np.bool_]) -> None:
        pass

    def complete(self, row: int) -> Sequence[Step]:
        return ()


class TokenRules:
    """The rules of tokens. `places` (B,) are the rows' states by their places in the arrays.

    `allowed` (S, V) is what may come in a state, and `after` (S, V) the place of the state then, -1 where that was
    never asked. The end symbol leaves a state as it is.
    """

    def __init__(self, constraint: Constraint, spec: SequenceSpec, opened: int, rows: int) -> None:
        self.constraint, self.spec, self.opened = constraint, spec, opened
        self.states: list[int] = []
        self._places: dict[int, int] = {}
        self.allowed = np.zeros((FEW, spec.size), bool)
        self.after = np.zeros((FEW, spec.size), np.int32)
        self.places = np.full(rows, self._place(opened))

    def under(self, how: How) -> How:
        return how.under(self.allowed[self.places])

    def begin(self, rows: NDArray[Any]) -> None:
        self.places[rows] = self._place(self.opened)

    def follow(self, steps: NDArray[Any], busy: NDArray[np.bool_]) -> None:
        if len(self.states) + len(self.places) > MOST_KNOWN:
            self._forget()
        after = self.after[self.places, steps]
        if after.min() < 0:
            for row in np.flatnonzero(after < 0).tolist():
                place, step = int(self.places[row]), int(steps[row])
                after[row] = self._place(self.constraint.step(self.states[place], step))
                self.after[place, step] = after[row]
        self.places = after

    def complete(self, row: int) -> Sequence[Step]:
        return self.constraint.complete(self.states[self.places[row]])

    def _place(self, state: int) -> int:
        """Where a state is in the arrays; it is put there if it is new."""
        place = self._places.get(state)
        if place is not None:
            return place
        place = self._places[state] = len(self.states)
        self.states.append(state)
        if place == len(self.allowed):
            self.allowed, self.after = (
                np.concatenate([each, np.zeros_like(each)]) for each in (self.allowed, self.after)
            )
        mask = self.constraint.allowed(state)
        assert isinstance(mask, int)
        self.allowed[place], self.after[place] = mask_array(mask, self.spec.size), -1
        self.after[place, self.spec.end] = place
        return place

    def _forget(self) -> None:
        """Leave nothing but the states that the rows are in."""
        current = [self.states[place] for place in self.places]
        self.states.clear()
        self._places.clear()
        self.places = np.array([self._place(state) for state in current], self.places.dtype)


class FrameRules:
    """The rules of frames."""

    def __init__(self, constraint: Constraint, spec: SequenceSpec, opened: int, rows: int) -> None:
        self.constraint, self.opened, self.states = constraint, opened, [opened] * rows

    def under(self, how: How) -> How:
        found = [self.constraint.allowed(state) for state in self.states]
        return how.under([rule if isinstance(rule, FrameRule) else None for rule in found])

    def begin(self, rows: NDArray[Any]) -> None:
        for row in rows.tolist():
            self.states[row] = self.opened

    def follow(self, steps: NDArray[Any], busy: NDArray[np.bool_]) -> None:
        for row in np.flatnonzero(busy).tolist():
            frame = tuple(np.flatnonzero(steps[row]).tolist())
            self.states[row] = self.constraint.step(self.states[row], frame)

    def complete(self, row: int) -> Sequence[Step]:
        return self.constraint.complete(self.states[row])
