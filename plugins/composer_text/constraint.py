"""The rules of generated texts: at least one character, and an end after a stanza, line or word before the limit."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint

TEXT, NEW_LINE, STANZA, NOTHING, SPACE = range(5)
"""What the last character was part of: text, a line end, a blank line, a space between words; or there is none."""
_PLACE = 3
"""Bits of it in a state."""

STANZA_ROOM, LINE_ROOM, WORD_ROOM = 400, 80, 20
"""Characters before the maximum length in which a text ends after a stanza, or else a line, or else a word; at most
half, a quarter and a quarter of that length."""


class TextConstraint(Constraint):
    """Texts that end close before `length` characters, in a vocabulary of `size` whose characters start at `first`.

    The vocabulary may lack a `line_feed` or a `space`. A state is the number of characters that are left, above what
    the last one was part of.
    """

    def __init__(self, size: int, end: int, first: int, line_feed: int | None, space: int | None, length: int) -> None:
        self._characters, self._end = (1 << size) - (1 << first), 1 << end
        self._line_feed, self._space, self._length = line_feed, space, length
        self._room = {
            STANZA: min(STANZA_ROOM, length // 2),
            NEW_LINE: min(LINE_ROOM, length // 4),
            SPACE: min(WORD_ROOM, length // 4),
        }

    def start(self, primer: Sequence[int]) -> int:
        # what the primer ends with is no end of the piece
        return max(self._length - len(primer), 0) << _PLACE | (TEXT if primer else NOTHING)

    def step(self, state: int, step: int) -> int:
        left, place = _parts(state)
        if step == self._line_feed:
            after = STANZA if place in (NEW_LINE, STANZA) else NEW_LINE
        else:
            after = SPACE if step == self._space else TEXT
        return max(left - 1, 0) << _PLACE | after

    def allowed(self, state: int) -> int:
        left, place = _parts(state)
        if place == NOTHING:
            return self._characters
        return self._end if left <= self._room.get(place, -1) else self._characters | self._end

    def complete(self, state: int) -> Sequence[int]:
        """Return nothing: no ending can complete a truncated text."""
        return ()


def _parts(state: int) -> tuple[int, int]:
    """Return how many characters are left, and what the last one was part of."""
    return state >> _PLACE, state & (1 << _PLACE) - 1
