"""Constraint on grids with a length, a note density or fixed steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from composer.api import Constraint, Mask, Unsatisfiable
from composer.toolkit.representations.density import OnsetBudget
from composer_grid.base_constraint import END, FIRST, HOLD, REST, middle_pitch


class FixedStep(NamedTuple):
    """A fixed step: its symbol, and the symbol of the pitch that sounds in it, or 0."""

    symbol: int
    sounding: int


class Position(IntEnum):
    """State of the automaton, apart from the time."""

    BEGIN = 0
    SILENT = 1
    """In a rest, before any note."""
    REST = 2
    NOTE = 3
    GOAL = 4
    """In a note of the pitch that the next fixed step holds."""


_IN_NOTE = (Position.NOTE, Position.GOAL)
_POSITION_BITS = 3
"""Bits of a state for its position; above them are the step, in `_STEP_BITS` bits, and the number of onsets."""
_STEP_BITS = 32


class Move(NamedTuple):
    """Symbols that lead to the same position, and whether they start a note."""

    symbols: Mask
    position: Position
    starts_note: bool


class TimedGridConstraint(Constraint):
    """Grids over the `pitches` (a set of symbols) with further constraints.

    A piece has `total` steps, if given, and a note sounds in the last. `budget` bounds the onsets up to each step, and
    `kept` are the fixed steps. A table, computed backward, has the states from which the end can be reached; no others
    are entered.
    """

    def __init__(
        self,
        pitches: Mask,
        total: int | None = None,
        budget: OnsetBudget | None = None,
        kept: Mapping[int, FixedStep] | None = None,
    ) -> None:
        self.pitches, self.total, self.budget, self.kept = pitches, total, budget, kept or {}
        self._goals = self._find_goals(total or 0)
        self._reachable = self._build_table(total) if total is not None else []

    @property
    def is_satisfiable(self) -> bool:
        return self._can_complete(0, 0, Position.BEGIN)

    def start(self, primer: Sequence[int]) -> int:
        """Return the state after `primer`, whose density counts as correct. Raises Unsatisfiable."""
        state = _pack_state(0, 0, Position.BEGIN)
        for step in primer:
            state = self.step(state, step)
        step, _, position = _unpack_state(state)
        onsets = round(self.budget.expected(step)) if self.budget else 0
        if not self._can_complete(step, onsets, position):
            raise Unsatisfiable(
                f"the primer has {step} steps and does not fit into the {self.total} steps of --bars",
                "use more --bars, or a shorter primer",
                flags=("--bars",),
            )
        return _pack_state(step, onsets, position)

    def step(self, state: int, step: int) -> int:
        at, onsets, position = _unpack_state(state)
        symbol = 1 << step
        for move in self._moves(at, position):
            if move.symbols & symbol:
                return _pack_state(at + 1, onsets + self._counted_onsets(at, move), move.position)
        before = Position.SILENT if position is Position.BEGIN else position
        return _pack_state(at + 1, onsets, self._after(at, before, step))

    def allowed(self, state: int) -> Mask:
        """Return the symbols from which the end can be reached."""
        at, onsets, position = _unpack_state(state)
        mask = 0
        for move in self._moves(at, position):
            if self._can_complete(at + 1, onsets + self._counted_onsets(at, move), move.position):
                mask |= move.symbols
        return mask | 1 << END if self._may_end(at, position) else mask

    def fixed_step(self, state: int) -> int | None:
        at = _unpack_state(state)[0]
        return at if at in self.kept else None

    def complete(self, state: int) -> Sequence[int]:
        """Return the ending that holds notes and rests as long as possible, and ends as early as possible."""
        if self.total is None:
            return tuple(self.ending(state))
        return LazyCompletion(self, state, self.total - _unpack_state(state)[0] + 1)

    def ending(self, state: int) -> Iterator[int]:
        while not (allowed := self.allowed(state)) >> END & 1:
            silent = _unpack_state(state)[2] in (Position.BEGIN, Position.SILENT)
            if allowed >> HOLD & 1 and not (silent and self.total is None and allowed & self.pitches):
                symbol = HOLD
            else:
                symbol = middle_pitch(allowed) if allowed >> FIRST else REST
            yield symbol
            state = self.step(state, symbol)
        yield END

    def _may_end(self, at: int, position: Position) -> bool:
        """Return whether the piece may end before step `at`."""
        if self.total is None:
            return position in (*_IN_NOTE, Position.REST)
        return at == self.total and position in _IN_NOTE

    def _moves(self, at: int, position: Position) -> Iterator[Move]:
        fixed = self.kept.get(at)
        if at == self.total:
            return
        if fixed is not None and fixed.sounding:
            if fixed.symbol != HOLD or position is Position.GOAL:
                yield Move(1 << fixed.symbol, self._position_in_note(fixed.sounding, at + 1), fixed.symbol != HOLD)
            return
        if fixed is None:
            goal = 1 << self._goal(at) & ~1
            yield Move(self.pitches & ~goal, Position.NOTE, True)
            yield Move(self.pitches & goal, Position.GOAL, True)
        if position in _IN_NOTE:
            if fixed is None:
                yield Move(1 << HOLD, position, False)
            yield Move(1 << REST, Position.REST, False)
        elif position is Position.BEGIN:
            yield Move(1 << REST, Position.SILENT, False)
        else:
            yield Move(1 << HOLD, position, False)

    def _after(self, at: int, position: Position, step: int) -> Position:
        """Return the position after a symbol that is not allowed, which a primer may have."""
        if step in (END, HOLD):
            return position
        if step == REST:
            return Position.REST if position in (*_IN_NOTE, Position.REST) else Position.SILENT
        return self._position_in_note(step, at + 1)

    def _position_in_note(self, pitch: int, at: int) -> Position:
        """Return the position before step `at` while `pitch` sounds."""
        return Position.GOAL if pitch == self._goal(at) else Position.NOTE

    def _goal(self, at: int) -> int:
        """Return the pitch that the next fixed step from `at` on holds, or 0."""
        return self._goals[at] if at < len(self._goals) else 0

    def _find_goals(self, total: int) -> list[int]:
        goals = [0] * (total + 1)
        for at in range(total - 1, -1, -1):
            fixed = self.kept.get(at)
            if fixed is None:
                goals[at] = goals[at + 1]
            elif fixed.symbol == HOLD:
                goals[at] = fixed.sounding
        return goals if self.kept else []

    def _counted_onsets(self, at: int, move: Move) -> int:
        """Return how many counted onsets a move has: 0 or 1."""
        return int(move.starts_note and self.budget is not None and self.budget.counts(at))

    def _bounds(self, at: int) -> tuple[int, int]:
        return self.budget.bounds(at) if self.budget is not None else (0, 0)

    def _can_complete(self, at: int, onsets: int, position: Position) -> bool:
        """Return whether a piece with `onsets` onsets in the first `at` steps can be completed."""
        low, high = self._bounds(at)
        if not low <= onsets <= high or (self.total is not None and at > self.total):
            return False
        return self.total is None or bool(self._reachable[at][position] >> onsets - low & 1)

    def _build_table(self, total: int) -> list[tuple[int, ...]]:
        """Return, for each step and position, the numbers of onsets from which the end can be reached.

        These are bit sets; bit 0 is the lower bound of the budget.
        """
        low, high = self._bounds(total)
        full = (1 << high - low + 1) - 1
        rows = [tuple(full if position in _IN_NOTE else 0 for position in Position)]
        for at in range(total - 1, -1, -1):
            after, (low, high) = low, self._bounds(at)
            full = (1 << high - low + 1) - 1
            row = []
            for position in Position:
                counts = 0
                for move in self._moves(at, position):
                    if not move.symbols:
                        continue
                    shift = after - low - self._counted_onsets(at, move)
                    following = rows[-1][move.position]
                    counts |= following << shift if shift >= 0 else following >> -shift
                row.append(counts & full)
            rows.append(tuple(row))
        return rows[::-1]


class LazyCompletion(Sequence[int]):
    """An ending of known length, computed only when used, which is rare."""

    def __init__(self, constraint: TimedGridConstraint, state: int, length: int) -> None:
        self._constraint, self._state, self._length = constraint, state, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return tuple(self._constraint.ending(self._state))[index]

    def __iter__(self) -> Iterator[int]:
        return self._constraint.ending(self._state)


def _pack_state(at: int, onsets: int, position: Position) -> int:
    return (onsets << _STEP_BITS | at) << _POSITION_BITS | position


def _unpack_state(state: int) -> tuple[int, int, Position]:
    """Return the step, the number of onsets, and the position."""
    time = state >> _POSITION_BITS
    return time & (1 << _STEP_BITS) - 1, time >> _STEP_BITS, Position(state & (1 << _POSITION_BITS) - 1)
