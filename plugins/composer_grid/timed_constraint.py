"""The automaton of grids that know the time: how long they are, how dense, and which of their steps are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.toolkit.representations.density import Budget
from composer_grid.base_constraint import END, FIRST, HOLD, REST, middle


class GivenStep(NamedTuple):
    """A given step: its symbol, and the pitch that sounds in it, 0 where none does."""

    symbol: int
    sounding: int


class Spot(IntEnum):
    """Where a piece may be, apart from the time."""

    BEGIN = 0
    SILENT = 1
    """In a rest, before any note."""
    REST = 2
    NOTE = 3
    GOAL = 4
    """In a note of the pitch that the next given step goes on with."""


_SOUNDING = (Spot.NOTE, Spot.GOAL)
_SPOTS = 3
"""Bits of a state that are its spot; the others are the step, in `_STEPS` bits, and how many notes were begun."""
_STEPS = 32


class Move(NamedTuple):
    """Symbols that all lead to the same spot, and whether they begin a note."""

    symbols: Mask
    spot: Spot
    begins: bool


class Timed(Constraint):
    """Grids over the `pitches` (a set of symbols) of which a player asked for more.

    With `total`, a piece has exactly so many steps and sounds in the last of them. `budget` says how many notes may
    have been begun after each step, and `kept` which steps are given. A table says backwards from the end which states
    have a way on, so that none without one is ever entered.
    """

    def __init__(
        self,
        pitches: Mask,
        total: int | None = None,
        budget: Budget | None = None,
        kept: Mapping[int, GivenStep] | None = None,
    ) -> None:
        self.pitches, self.total, self.budget, self.kept = pitches, total, budget, kept or {}
        self._goals = self._goals_of(total or 0)
        self._ways = self._table(total) if total is not None else []

    @property
    def possible(self) -> bool:
        """Whether there is any such piece."""
        return self._viable(0, 0, Spot.BEGIN)

    def start(self, primer: Sequence[Step]) -> int:
        """The state after `primer`, whose notes count as the ones that were due. Raises Unsatisfiable."""
        state = _state(0, 0, Spot.BEGIN)
        for step in primer:
            state = self.step(state, step)
        step, _, spot = _parts(state)
        begun = round(self.budget.due(step)) if self.budget else 0
        if not self._viable(step, begun, spot):
            raise Unsatisfiable(
                f"an opening of {step} steps cannot be gone on with in a piece of {self.total}",
                "ask for more --bars, or give a shorter opening",
            )
        return _state(step, begun, spot)

    def step(self, state: int, step: Step) -> int:
        """The state after one more symbol."""
        at, begun, spot = _parts(state)
        symbol = 1 << step if isinstance(step, int) else 0
        for move in self._moves(at, spot):
            if move.symbols & symbol:
                return _state(at + 1, begun + self._counted(at, move), move.spot)
        return _state(at + 1, begun, self._after(at, Spot.SILENT if spot is Spot.BEGIN else spot, step))

    def allowed(self, state: int) -> Mask:
        """The symbols that may come next: those from which the end can be reached."""
        at, begun, spot = _parts(state)
        mask = 0
        for move in self._moves(at, spot):
            if self._viable(at + 1, begun + self._counted(at, move), move.spot):
                mask |= move.symbols
        return mask | 1 << END if self._over(at, spot) else mask

    def complete(self, state: int) -> Sequence[Step]:
        """Rests and notes go on as they are for as long as they may, and the end comes as soon as it may."""
        if self.total is None:
            return tuple(self.ending(state))
        return Ending(self, state, self.total - _parts(state)[0] + 1)

    def ending(self, state: int) -> Iterator[Step]:
        """The symbols that complete a piece."""
        while not (allowed := self.allowed(state)) >> END & 1:
            silent = _parts(state)[2] in (Spot.BEGIN, Spot.SILENT)
            if allowed >> HOLD & 1 and not (silent and self.total is None and allowed & self.pitches):
                symbol = HOLD
            else:
                symbol = middle(allowed) if allowed >> FIRST else REST
            yield symbol
            state = self.step(state, symbol)
        yield END

    def _over(self, at: int, spot: Spot) -> bool:
        """Whether the piece may end before step `at`."""
        if self.total is None:
            return spot in (*_SOUNDING, Spot.REST)
        return at == self.total and spot in _SOUNDING

    def _moves(self, at: int, spot: Spot) -> Iterator[Move]:
        """What may come in step `at` as far as the spot goes."""
        given = self.kept.get(at)
        if at == self.total:
            return
        if given is not None and given.sounding:
            if given.symbol != HOLD or spot is Spot.GOAL:
                yield Move(1 << given.symbol, self._spot(given.sounding, at + 1), given.symbol != HOLD)
            return
        if given is None:
            goal = 1 << self._goal(at) & ~1
            yield Move(self.pitches & ~goal, Spot.NOTE, True)
            yield Move(self.pitches & goal, Spot.GOAL, True)
        if spot in _SOUNDING:
            if given is None:
                yield Move(1 << HOLD, spot, False)
            yield Move(1 << REST, Spot.REST, False)
        elif spot is Spot.BEGIN:
            yield Move(1 << REST, Spot.SILENT, False)
        else:
            yield Move(1 << HOLD, spot, False)

    def _after(self, at: int, spot: Spot, step: Step) -> Spot:
        """The spot after a symbol that is not allowed: of an opening, which may be anything."""
        if step in (END, HOLD):
            return spot
        if step == REST:
            return Spot.REST if spot in (*_SOUNDING, Spot.REST) else Spot.SILENT
        return self._spot(step if isinstance(step, int) else 0, at + 1)

    def _spot(self, pitch: int, at: int) -> Spot:
        """The spot before step `at` where `pitch` sounds."""
        return Spot.GOAL if pitch == self._goal(at) else Spot.NOTE

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

    def _counted(self, at: int, move: Move) -> int:
        """How many notes a move begins that count."""
        return int(move.begins and self.budget is not None and self.budget.counts(at))

    def _bounds(self, at: int) -> tuple[int, int]:
        return self.budget.bounds(at) if self.budget is not None else (0, 0)

    def _viable(self, at: int, begun: int, spot: Spot) -> bool:
        """Whether a piece that has begun so many notes in the first `at` steps can still be completed."""
        low, high = self._bounds(at)
        if not low <= begun <= high or (self.total is not None and at > self.total):
            return False
        return self.total is None or bool(self._ways[at][spot] >> begun - low & 1)

    def _table(self, total: int) -> list[tuple[int, ...]]:
        """For each step and spot, the counts of notes from which the end can be reached.

        These are sets as bits; bit 0 is the fewest notes that are within bounds.
        """
        low, high = self._bounds(total)
        full = (1 << high - low + 1) - 1
        ways = [tuple(full if spot in _SOUNDING else 0 for spot in Spot)]
        for at in range(total - 1, -1, -1):
            after, (before, high) = low, self._bounds(at)
            low = before
            full = (1 << high - low + 1) - 1
            found = []
            for spot in Spot:
                counts = 0
                for move in self._moves(at, spot):
                    if not move.symbols:
                        continue
                    shift = after - low - self._counted(at, move)
                    following = ways[-1][move.spot]
                    counts |= following << shift if shift >= 0 else following >> -shift
                found.append(counts & full)
            ways.append(tuple(found))
        return ways[::-1]


class Ending(Sequence[Step]):
    """An ending of known length: its symbols are worked out when they are asked for, which they seldom are."""

    def __init__(self, rule: Timed, state: int, length: int) -> None:
        self._rule, self._state, self._length = rule, state, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        return tuple(self._rule.ending(self._state))[place]

    def __iter__(self) -> Iterator[Step]:
        return self._rule.ending(self._state)


def _state(at: int, begun: int, spot: Spot) -> int:
    return (begun << _STEPS | at) << _SPOTS | spot


def _parts(state: int) -> tuple[int, int, Spot]:
    """The step, how many notes were begun, and the spot."""
    time = state >> _SPOTS
    return time & (1 << _STEPS) - 1, time >> _STEPS, Spot(state & (1 << _SPOTS) - 1)
