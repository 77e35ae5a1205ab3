"""What every grid obeys: it begins with a note or a rest, a rest is not begun twice, and something sounds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from composer.api import Constraint, Mask, Step

END, HOLD, REST = 0, 1, 2
"""The ids of the symbols that are no pitch."""
FIRST = 3
"""The id of the lowest pitch."""


class Position(IntEnum):
    """Where a piece may be."""

    BEGIN = 0
    SILENT = 1
    """In a rest, before any note."""
    NOTE = 2
    REST = 3


class GridConstraint(Constraint):
    """The automaton of grids over `size` symbols; `pitches` are those that may be struck, by default all."""

    def __init__(self, size: int, pitches: Mask | None = None) -> None:
        self.size = size
        self.pitches = (1 << size) - 1 & ~0b111 if pitches is None else pitches
        end, hold, rest = 1 << END, 1 << HOLD, 1 << REST
        self._allowed = {
            Position.BEGIN: self.pitches | rest,
            Position.SILENT: self.pitches | hold,
            Position.NOTE: self.pitches | hold | rest | end,
            Position.REST: self.pitches | hold | end,
        }

    def start(self, primer: Sequence[Step]) -> int:
        """The state after `primer`, whatever it is."""
        state: int = Position.BEGIN
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: Step) -> int:
        """The state after one more symbol."""
        if step == HOLD:
            return state if state != Position.BEGIN else Position.SILENT
        if step == REST:
            return Position.REST if state in (Position.NOTE, Position.REST) else Position.SILENT
        return Position.NOTE

    def allowed(self, state: int) -> Mask:
        """The symbols that may come next."""
        return self._allowed[Position(state)]

    def complete(self, state: int) -> Sequence[Step]:
        """The end, where anything was heard; before that, a note in the middle of the range and the end."""
        heard = state in (Position.NOTE, Position.REST)
        return (END,) if heard else (middle_pitch(self.pitches), END)


def middle_pitch(mask: Mask) -> int:
    """The pitch in the middle of a set of symbols that has one."""
    known = [symbol for symbol in range(FIRST, mask.bit_length()) if mask >> symbol & 1]
    return known[len(known) // 2]
