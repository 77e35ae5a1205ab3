"""Follow a constraint in many rows at a time.

For tokens, the automaton's answers are cached in arrays: a step of all rows is two look-ups.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, SequenceSpec, Step, StepKind
from composer.api.sampling.filters import BatchSamplingParams, mask_array

MAX_CACHED_STATES = 100_000
"""States in the cache; each takes five bytes per token.

Of a hundred characters of tunes, 93 lead to a new state at first, 47 after 30,000 states and 20 after 100,000."""
INITIAL_CAPACITY = 256
"""States that the arrays have room for at first."""
MIN_CACHED_ROWS = 4
"""For fewer rows the cache costs more than it saves."""


class BatchedConstraint(ABC):
    """A constraint in B rows. `ended` are the rows whose piece ended with its last step without an end symbol."""

    ended: Collection[int] = ()

    @abstractmethod
    def constrain(self, params: BatchSamplingParams) -> BatchSamplingParams:
        """Return `params` with the masks or frame rules of the next step."""

    @abstractmethod
    def start_rows(self, rows: Sequence[int], constraint: Constraint | None = None) -> None:
        """Go back to the state after the primer in these rows, under `constraint` if that is not the same in all."""

    @abstractmethod
    def row_state(self, row: int) -> int:
        """Return the state of a row, which `restore_row` goes back to."""

    @abstractmethod
    def restore_row(self, row: int, state: int) -> None:
        """Go back to an earlier state of the same piece."""

    @abstractmethod
    def features(self) -> NDArray[np.int64] | None:
        """Return the position features (B, F) of the next step; None if there are none."""

    @abstractmethod
    def advance(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        """Follow one step per row; rows whose piece has the number 0 are idle."""

    @abstractmethod
    def complete(self, row: int) -> Sequence[Step]:
        """Return the shortest ending of a row's piece; empty if none is known."""

    @abstractmethod
    def fixed_steps(self) -> Sequence[int | None]:
        """Return the number of the fixed step that comes next in each row, or None (see `Constraint.fixed_step`)."""

    @abstractmethod
    def log_weights(self, steps: Sequence[Step]) -> Sequence[float]:
        """Return the logarithm of the factor of one step per row (see `Constraint.log_weight`)."""

    @abstractmethod
    def gather_rows(self, rows: Sequence[int]) -> None:
        """Let each row continue as the given one, which may occur several times."""


def batched_constraint(
    constraint: Constraint | None,
    spec: SequenceSpec,
    primer: Sequence[Step],
    batch_size: int,
    *,
    same_in_all_rows: bool = True,
) -> BatchedConstraint:
    """Return `constraint` for `batch_size` rows, each after the primer."""
    if constraint is None:
        return Unconstrained(batch_size)
    if spec.kind is StepKind.FRAMES:
        return FrameConstraint(constraint, spec, primer, batch_size)
    if batch_size < MIN_CACHED_ROWS or not same_in_all_rows:
        return TokenConstraint(constraint, spec, primer, batch_size)
    return CachedTokenConstraint(constraint, spec, primer, batch_size)


class Unconstrained(BatchedConstraint):
    """B rows in which everything is allowed."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def constrain(self, params: BatchSamplingParams) -> BatchSamplingParams:
        return params

    def start_rows(self, rows: Sequence[int], constraint: Constraint | None = None) -> None:
        return

    def row_state(self, row: int) -> int:
        return 0

    def restore_row(self, row: int, state: int) -> None:
        return

    def features(self) -> NDArray[np.int64] | None:
        return None

    def advance(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        return

    def complete(self, row: int) -> Sequence[Step]:
        return ()

    def fixed_steps(self) -> Sequence[int | None]:
        return [None] * self._rows

    def log_weights(self, steps: Sequence[Step]) -> Sequence[float]:
        return [0.0] * len(steps)

    def gather_rows(self, rows: Sequence[int]) -> None:
        self._rows = len(rows)


class CachedTokenConstraint(BatchedConstraint):
    """A constraint on tokens, cached. `indices` (B,) are the rows' states as indices of the arrays.

    `allowed` (S, V) are the tokens allowed in a state, and `next_index` (S, V) the index of the state that follows, -1
    if not known yet. The end symbol does not change the state.
    """

    def __init__(self, constraint: Constraint, spec: SequenceSpec, primer: Sequence[Step], rows: int) -> None:
        self.constraint, self.spec, self.start_state = constraint, spec, constraint.start(primer)
        self.states: list[int] = []
        self._index_of: dict[int, int] = {}
        self._completions: dict[int, Sequence[Step]] = {}
        self.allowed = np.zeros((INITIAL_CAPACITY, spec.size), bool)
        self.next_index = np.zeros((INITIAL_CAPACITY, spec.size), np.int32)
        self.indices = np.full(rows, self._index(self.start_state))

    def constrain(self, params: BatchSamplingParams) -> BatchSamplingParams:
        return params.with_mask(self.allowed[self.indices])

    def start_rows(self, rows: Sequence[int], constraint: Constraint | None = None) -> None:
        self.indices[rows] = self._index(self.start_state)

    def row_state(self, row: int) -> int:
        return self.states[int(self.indices[row])]

    def restore_row(self, row: int, state: int) -> None:
        self.indices[row] = self._index(state)

    def features(self) -> NDArray[np.int64] | None:
        return _as_array(self.spec, (self.constraint.features(self.states[index]) for index in self.indices))

    def advance(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        if len(self.states) + len(self.indices) > MAX_CACHED_STATES:
            self._evict()
        after = self.next_index[self.indices, steps]
        if after.min() < 0:
            for row in np.flatnonzero(after < 0).tolist():
                index = after[row] = int(self.indices[row])
                if numbers[row]:
                    after[row] = self._index(self.constraint.step(self.states[index], steps[row]))
                    self.next_index[index, steps[row]] = after[row]
        self.indices = after

    def complete(self, row: int) -> Sequence[Step]:
        index = int(self.indices[row])
        if index not in self._completions:
            self._completions[index] = self.constraint.complete(self.states[index])
        return self._completions[index]

    def fixed_steps(self) -> Sequence[int | None]:
        found = {index: self.constraint.fixed_step(self.states[index]) for index in set(self.indices.tolist())}
        return [found[index] for index in self.indices.tolist()]

    def log_weights(self, steps: Sequence[Step]) -> Sequence[float]:
        states = (self.states[index] for index in self.indices.tolist())
        return [self.constraint.log_weight(state, step) for state, step in zip(states, steps, strict=True)]

    def gather_rows(self, rows: Sequence[int]) -> None:
        self.indices = self.indices[list(rows)]

    def _index(self, state: int) -> int:
        """Return the index of a state, which is added if it is new."""
        index = self._index_of.get(state)
        if index is not None:
            return index
        index = self._index_of[state] = len(self.states)
        self.states.append(state)
        if index == len(self.allowed):
            pair = (self.allowed, self.next_index)
            self.allowed, self.next_index = (np.concatenate([each, np.zeros_like(each)]) for each in pair)
        mask = self.constraint.allowed(state)
        assert isinstance(mask, int)
        self.allowed[index], self.next_index[index] = mask_array(mask, self.spec.size), -1
        self.next_index[index, self.spec.end] = index
        return index

    def _evict(self) -> None:
        """Drop all states but those of the rows."""
        current = [self.states[index] for index in self.indices]
        self.states.clear()
        self._index_of.clear()
        self._completions.clear()
        self.indices = np.array([self._index(state) for state in current], self.indices.dtype)


class _RowByRow(BatchedConstraint):
    """The constraint and the state of each row, without a cache."""

    def __init__(self, constraint: Constraint, spec: SequenceSpec, primer: Sequence[Step], rows: int) -> None:
        self.spec, self.primer = spec, primer
        self.constraints, self.states = [constraint] * rows, [constraint.start(primer)] * rows

    def start_rows(self, rows: Sequence[int], constraint: Constraint | None = None) -> None:
        for row in rows:
            self.constraints[row] = constraint or self.constraints[row]
            self.states[row] = self.constraints[row].start(self.primer)

    def row_state(self, row: int) -> int:
        return self.states[row]

    def restore_row(self, row: int, state: int) -> None:
        self.states[row] = state

    def features(self) -> NDArray[np.int64] | None:
        pairs = zip(self.constraints, self.states, strict=True)
        return _as_array(self.spec, (constraint.features(state) for constraint, state in pairs))

    def complete(self, row: int) -> Sequence[Step]:
        return self.constraints[row].complete(self.states[row])

    def fixed_steps(self) -> Sequence[int | None]:
        pairs = zip(self.constraints, self.states, strict=True)
        return [constraint.fixed_step(state) for constraint, state in pairs]

    def log_weights(self, steps: Sequence[Step]) -> Sequence[float]:
        each = zip(self.constraints, self.states, steps, strict=True)
        return [constraint.log_weight(state, step) for constraint, state, step in each]

    def gather_rows(self, rows: Sequence[int]) -> None:
        self.constraints = [self.constraints[row] for row in rows]
        self.states = [self.states[row] for row in rows]


class TokenConstraint(_RowByRow):
    """A constraint on tokens for a few rows, row by row."""

    def __init__(self, constraint: Constraint, spec: SequenceSpec, primer: Sequence[Step], rows: int) -> None:
        super().__init__(constraint, spec, primer, rows)
        self._masks: dict[int, NDArray[np.bool_]] = {}

    def constrain(self, params: BatchSamplingParams) -> BatchSamplingParams:
        pairs = zip(self.constraints, self.states, strict=True)
        allowed = (constraint.allowed(state) for constraint, state in pairs)
        masks = [self._mask(mask) for mask in allowed if isinstance(mask, int)]
        return params.with_mask(masks[0] if len(masks) == 1 else np.concatenate(masks))

    def advance(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        for row, (step, number) in enumerate(zip(steps, numbers, strict=True)):
            if number and step != self.spec.end:
                self.states[row] = self.constraints[row].step(self.states[row], step)

    def _mask(self, mask: int) -> NDArray[np.bool_]:
        """Return the set `mask` as an array (1, V); few sets occur, and often."""
        row = self._masks.get(mask)
        if row is None:
            if len(self._masks) >= MAX_CACHED_STATES:
                self._masks.clear()
            row = self._masks[mask] = mask_array(mask, self.spec.size)[None]
        return row


class FrameConstraint(_RowByRow):
    """A constraint on frames."""

    def constrain(self, params: BatchSamplingParams) -> BatchSamplingParams:
        pairs = zip(self.constraints, self.states, strict=True)
        rules = [constraint.allowed(state) for constraint, state in pairs]
        return params.with_mask([rule if isinstance(rule, FrameRule) else None for rule in rules])

    def advance(self, steps: Sequence[Step], numbers: Sequence[int]) -> None:
        ended = set[int]()
        for row, (frame, number) in enumerate(zip(steps, numbers, strict=True)):
            if number:
                state = self.states[row] = self.constraints[row].step(self.states[row], frame)
                if self.constraints[row].ends(state):
                    ended.add(row)
        self.ended = ended


def _as_array(spec: SequenceSpec, rows: Iterable[tuple[int, ...]]) -> NDArray[np.int64] | None:
    """Return the position features of all rows as an array (B, F)."""
    return np.array(list(rows), np.int64) if spec.features else None
