"""A constraint followed in many rows at a time.

Of tokens, what the automaton was once asked stands in arrays: a step of all rows is two look-ups, and only what is new
is asked of the automaton itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, SequenceSpec, Step, StepKind
from composer.api.sampling.filters import SamplingParams, mask_array

MOST_KNOWN = 100_000
"""How many states are in the arrays at most; a state takes five bytes for each token.

Of a hundred characters of tunes, 93 lead to a new state at first, 47 after 30,000 states and 20 after 100,000."""
FEW = 256
"""How many there is room for at first."""
FEW_ROWS = 4
"""Fewer rows than these are asked one by one."""


class Rules(Protocol):
    """What each of B rows must obey next."""

    def under(self, params: SamplingParams) -> SamplingParams:
        """`how`, under the rules of the next step."""
        ...

    def begin(self, rows: Sequence[int]) -> None:
        """Know that new pieces begin in these rows, after their primer."""
        ...

    def follow(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        """Go on by `steps`, one for each row; of rows whose piece has the number 0, they mean nothing."""
        ...

    def complete(self, row: int) -> Sequence[Step]:
        """The shortest ending of a row's piece; empty where none is known."""
        ...


def rules(constraint: Constraint | None, spec: SequenceSpec, primer: Sequence[Step], rows: int) -> Rules:
    """The rules of `rows` rows; where there is no constraint, there are none."""
    if constraint is None:
        return Anything()
    opened = constraint.start(primer)
    if spec.kind is StepKind.FRAMES:
        return RulesOfFrames(constraint, spec, opened, rows)
    return (FewRules if rows < FEW_ROWS else TokenRules)(constraint, spec, opened, rows)


class Anything:
    """No rules."""

    def under(self, params: SamplingParams) -> SamplingParams:
        return params

    def begin(self, rows: Sequence[int]) -> None:
        pass

    def follow(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
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
        self._endings: dict[int, Sequence[Step]] = {}
        self.allowed = np.zeros((FEW, spec.size), bool)
        self.after = np.zeros((FEW, spec.size), np.int32)
        self.places = np.full(rows, self._place(opened))

    def under(self, params: SamplingParams) -> SamplingParams:
        return params.with_mask(self.allowed[self.places])

    def begin(self, rows: Sequence[int]) -> None:
        self.places[rows] = self._place(self.opened)

    def follow(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        if len(self.states) + len(self.places) > MOST_KNOWN:
            self._forget()
        after = self.after[self.places, steps]
        if after.min() < 0:
            for row in np.flatnonzero(after < 0).tolist():
                place = after[row] = int(self.places[row])
                if numbers[row]:
                    after[row] = self._place(self.constraint.step(self.states[place], steps[row]))
                    self.after[place, steps[row]] = after[row]
        self.places = after

    def complete(self, row: int) -> Sequence[Step]:
        place = int(self.places[row])
        if place not in self._endings:
            self._endings[place] = self.constraint.complete(self.states[place])
        return self._endings[place]

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
        self._endings.clear()
        self.places = np.array([self._place(state) for state in current], self.places.dtype)


class _Each:
    """The states of rows that are asked one by one."""

    def __init__(self, constraint: Constraint, spec: SequenceSpec, opened: int, rows: int) -> None:
        self.constraint, self.spec, self.opened, self.states = constraint, spec, opened, [opened] * rows

    def begin(self, rows: Sequence[int]) -> None:
        for row in rows:
            self.states[row] = self.opened

    def complete(self, row: int) -> Sequence[Step]:
        return self.constraint.complete(self.states[row])


class FewRules(_Each):
    """The rules of tokens in so few rows that arrays of states would take longer than to ask."""

    def __init__(self, constraint: Constraint, spec: SequenceSpec, opened: int, rows: int) -> None:
        super().__init__(constraint, spec, opened, rows)
        self._masks: dict[int, NDArray[np.bool_]] = {}

    def under(self, params: SamplingParams) -> SamplingParams:
        found = [self._mask(mask) for mask in map(self.constraint.allowed, self.states) if isinstance(mask, int)]
        return params.with_mask(found[0] if len(found) == 1 else np.concatenate(found))

    def follow(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        for row, (step, number) in enumerate(zip(steps, numbers, strict=True)):
            if number and step != self.spec.end:
                self.states[row] = self.constraint.step(self.states[row], step)

    def _mask(self, mask: int) -> NDArray[np.bool_]:
        """The set `mask` as an array (1, V); the same few sets come again and again."""
        row = self._masks.get(mask)
        if row is None:
            if len(self._masks) >= MOST_KNOWN:
                self._masks.clear()
            row = self._masks[mask] = mask_array(mask, self.spec.size)[None]
        return row


class RulesOfFrames(_Each):
    """The rules of frames."""

    def under(self, params: SamplingParams) -> SamplingParams:
        found = [self.constraint.allowed(state) for state in self.states]
        return params.with_mask([rule if isinstance(rule, FrameRule) else None for rule in found])

    def follow(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        for row, (frame, number) in enumerate(zip(steps, numbers, strict=True)):
            if number:
                self.states[row] = self.constraint.step(self.states[row], frame)
