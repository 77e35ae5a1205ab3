"""The automaton of grids that know the time: how long they are, how dense, and which of their steps are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.toolkit.representations.density import OnsetBudget
from composer_grid.base_constraint import END, FIRST, HOLD, REST, middle_pitch


class GivenStep(NamedTuple):
    """A given step: its symbol, and the pitch that sounds in it, 0 where none does."""

    symbol: int
    sounding: int


class Position(IntEnum):
    """Where a piece may be, apart from the time."""

    BEGIN = 0
    SILENT = 1
    """In a rest, before any note."""
    REST = 2
    NOTE = 3
    GOAL = 4
    """In a note of the pitch that the next given step goes on with."""


_SOUNDING = (Position.NOTE, Position.GOAL)
_POSITIONS = 3
"""Bits of a state that are its spot; the others are the step, in `_STEPS` bits, and how many notes were begun."""
_STEPS = 32


class Move(NamedTuple):
    """Symbols that all lead to the same spot, and whether they begin a note."""

    symbols: Mask
    position: Position
    begins_note: bool


class TimedGridConstraint(Constraint):
    """Grids over the `pitches` (a set of symbols) of which a player asked for more.

    With `total`, a piece has exactly so many steps and sounds in the last of them. `budget` says how many notes may
    have been begun after each step, and `kept` which steps are given. A table says backwards from the end which states
    have a way on, so that none without one is ever entered.
    """

    def __init__(
        self,
        pitches: Mask,
        total: int | None = None,
        budget: OnsetBudget | None = None,
        kept: Mapping[int, GivenStep] | None = None,
    ) -> None:
        self.pitches, self.total, self.budget, self.kept = pitches, total, budget, kept or {}
        self._goals = self._goals_of(total or 0)
        self._reachable = self._table(total) if total is not None else []

    @property
    def is_satisfiable(self) -> bool:
        """Whether there is any such piece."""
        return self._can_complete(0, 0, Position.BEGIN)

    def start(self, primer: Sequence[Step]) -> int:
        """The state after `primer`, whose notes count as the ones that were due. Raises Unsatisfiable."""
        state = _pack_state(0, 0, Position.BEGIN)
        for step in primer:
            state = self.step(state, step)
        step, _, spot = _unpack_state(state)
        begun = round(self.budget.expected(step)) if self.budget else 0
        if not self._can_complete(step, begun, spot):
            raise Unsatisfiable(
                f"an opening of {step} steps cannot be gone on with in a piece of {self.total}",
                "ask for more --bars, or give a shorter opening",
            )
        return _pack_state(step, begun, spot)

    def step(self, state: int, step: Step) -> int:
        """The state after one more symbol."""
        at, begun, spot = _unpack_state(state)
        symbol = 1 << step if isinstance(step, int) else 0
        for move in self._moves(at, spot):
            if move.symbols & symbol:
                return _pack_state(at + 1, begun + self._notes_counted(at, move), move.position)
        return _pack_state(at + 1, begun, self._after(at, Position.SILENT if spot is Position.BEGIN else spot, step))

    def allowed(self, state: int) -> Mask:
        """The symbols that may come next: those from which the end can be reached."""
        at, begun, spot = _unpack_state(state)
        mask = 0
        for move in self._moves(at, spot):
            if self._can_complete(at + 1, begun + self._notes_counted(at, move), move.position):
                mask |= move.symbols
        return mask | 1 << END if self._may_end(at, spot) else mask

    def complete(self, state: int) -> Sequence[Step]:
        """Rests and notes go on as they are for as long as they may, and the end comes as soon as it may."""
        if self.total is None:
            return tuple(self.ending(state))
        return LazyCompletion(self, state, self.total - _unpack_state(state)[0] + 1)

    def ending(self, state: int) -> Iterator[Step]:
        """The symbols that complete a piece."""
        while not (allowed := self.allowed(state)) >> END & 1:
            silent = _unpack_state(state)[2] in (Position.BEGIN, Position.SILENT)
            if allowed >> HOLD & 1 and not (silent and self.total is None and allowed & self.pitches):
                symbol = HOLD
            else:
                symbol = middle_pitch(allowed) if allowed >> FIRST else REST
            yield symbol
            state = self.step(state, symbol)
        yield END

    def _may_end(self, at: int, spot: Position) -> bool:
        """Whether the piece may end before step `at`."""
        if self.total is None:
            return spot in (*_SOUNDING, Position.REST)
        return at == self.total and spot in _SOUNDING

    def _moves(self, at: int, spot: Position) -> Iterator[Move]:
        """What may come in step `at` as far as the spot goes."""
        given = self.kept.get(at)
        if at == self.total:
            return
        if given is not None and given.sounding:
            if given.symbol != HOLD or spot is Position.GOAL:
                yield Move(1 << given.symbol, self._position(given.sounding, at + 1), given.symbol != HOLD)
            return
        if given is None:
            goal = 1 << self._goal(at) & ~1
            yield Move(self.pitches & ~goal, Position.NOTE, True)
            yield Move(self.pitches & goal, Position.GOAL, True)
        if spot in _SOUNDING:
            if given is None:
                yield Move(1 << HOLD, spot, False)
            yield Move(1 << REST, Position.REST, False)
        elif spot is Position.BEGIN:
            yield Move(1 << REST, Position.SILENT, False)
        else:
            yield Move(1 << HOLD, spot, False)

    def _after(self, at: int, spot: Position, step: Step) -> Position:
        """The spot after a symbol that is not allowed: of an opening, which may be anything."""
        if step in (END, HOLD):
            return spot
        if step == REST:
            return Position.REST if spot in (*_SOUNDING, Position.REST) else Position.SILENT
        return self._position(step if isinstance(step, int) else 0, at + 1)

    def _position(self, pitch: int, at: int) -> Position:
        """The spot before step `at` where `pitch` sounds."""
        return Position.GOAL if pitch == self._goal(at) else Position.NOTE

    def _goal(self, at: int) -> int:
        """The pitch that the next given step after free ones goes on with, from step `at` on; 0 where none does."""
        return self._goals[at] if at < len(self._goals) else 0

    def _goals_of(self, total: int) -> list[int]:
        goals = [0] * (total + 1)
        for at in range(total - 1, -1, -1):
            given = self.kept.get(at)
            if given is None:
                goals[at] = goals[at + 1]
            elif given.symbol == HOLD:
                goals[at] = given.sounding
        return goals if self.kept else []

    def _notes_counted(self, at: int, move: Move) -> int:
        """How many notes a move begins that count."""
        return int(move.begins_note and self.budget is not None and self.budget.counts(at))

    def _bounds(self, at: int) -> tuple[int, int]:
        return self.budget.bounds(at) if self.budget is not None else (0, 0)

    def _can_complete(self, at: int, begun: int, spot: Position) -> bool:
        """Whether a piece that has begun so many notes in the first `at` steps can still be completed."""
        low, high = self._bounds(at)
        if not low <= begun <= high or (self.total is not None and at > self.total):
            return False
        return self.total is None or bool(self._reachable[at][spot] >> begun - low & 1)

    def _table(self, total: int) -> list[tuple[int, ...]]:
        """For each step and spot, the counts of notes from which the end can be reached.

        These are sets as bits; bit 0 is the fewest notes that are within bounds.
        """
        low, high = self._bounds(total)
        full = (1 << high - low + 1) - 1
        ways = [tuple(full if spot in _SOUNDING else 0 for spot in Position)]
        for at in range(total - 1, -1, -1):
            after, (before, high) = low, self._bounds(at)
            low = before
            full = (1 << high - low + 1) - 1
            found = []
            for spot in Position:
                counts = 0
                for move in self._moves(at, spot):
                    if not move.symbols:
                        continue
                    shift = after - low - self._notes_counted(at, move)
                    following = ways[-1][move.position]
                    counts |= following << shift if shift >= 0 else following >> -shift
                found.append(counts & full)
            ways.append(tuple(found))
        return ways[::-1]


class LazyCompletion(Sequence[Step]):
    """An ending of known length: its symbols are worked out when they are asked for, which they seldom are."""

    def __init__(self, constraint: TimedGridConstraint, state: int, length: int) -> None:
        self._constraint, self._state, self._length = constraint, state, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        return tuple(self._constraint.ending(self._state))[place]

    def __iter__(self) -> Iterator[Step]:
        return self._constraint.ending(self._state)


def _pack_state(at: int, begun: int, spot: Position) -> int:
    return (begun << _STEPS | at) << _POSITIONS | spot


def _unpack_state(state: int) -> tuple[int, int, Position]:
    """The step, how many notes were begun, and the spot."""
    time = state >> _POSITIONS
    return time & (1 << _STEPS) - 1, time >> _STEPS, Position(state & (1 << _POSITIONS) - 1)
