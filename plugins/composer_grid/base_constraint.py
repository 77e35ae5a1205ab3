"""Constraint on all grids: they start with a note or a rest, have no two rests in a row, and contain a note."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from composer.api import Constraint, Mask

END, HOLD, REST = 0, 1, 2
"""The ids of the symbols that are not pitches."""
FIRST = 3
"""The id of the lowest pitch."""


class Position(IntEnum):
    """State of the automaton."""

    BEGIN = 0
    SILENT = 1
    """In a rest, before any note."""
    NOTE = 2
    REST = 3


class GridConstraint(Constraint):
    """The automaton of grids over `size` symbols; `pitches` are the allowed ones, by default all."""

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

    def start(self, primer: Sequence[int]) -> int:
        state: int = Position.BEGIN
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: int) -> int:
        if step == HOLD:
            return state if state != Position.BEGIN else Position.SILENT
        if step == REST:
            return Position.REST if state in (Position.NOTE, Position.REST) else Position.SILENT
        return Position.NOTE

    def allowed(self, state: int) -> Mask:
        return self._allowed[Position(state)]

    def complete(self, state: int) -> Sequence[int]:
        """Return the end symbol, after a note from the middle of the range if there was none."""
        has_note = state in (Position.NOTE, Position.REST)
        return (END,) if has_note else (middle_pitch(self.pitches), END)


def middle_pitch(mask: Mask) -> int:
    """Return the middle one of the pitches in a set of symbols."""
    pitches = [symbol for symbol in range(FIRST, mask.bit_length()) if mask >> symbol & 1]
    return pitches[len(pitches) // 2]
