"""The rules of generated texts: at least one character, and an end with a stanza before the maximum length."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint

TEXT, NEW_LINE, STANZA, NOTHING = range(4)
"""What the last character was part of: text, a line end, a blank line; or there is none."""

STANZA_ROOM, LINE_ROOM = 400, 80
"""Characters before the maximum length in which a text ends after a stanza, or else after a line; at most half and a
quarter of that length."""


class TextConstraint(Constraint):
    """Texts that end close before `length` characters, in a vocabulary of `size` whose characters start at `first`.

    A state is the number of characters that are left, above what the last one was part of.
    """

    def __init__(self, size: int, end: int, first: int, line_feed: int | None, length: int) -> None:
        self._characters, self._end = (1 << size) - (1 << first), 1 << end
        self._line_feed, self._length = line_feed, length
        self._room = {STANZA: min(STANZA_ROOM, length // 2), NEW_LINE: min(LINE_ROOM, length // 4)}

    def start(self, primer: Sequence[int]) -> int:
        # what the primer ends with is no end of the piece
        return max(self._length - len(primer), 0) << 2 | (TEXT if primer else NOTHING)

    def step(self, state: int, step: int) -> int:
        left, place = state >> 2, state & 3
        after_line_feed = STANZA if place in (NEW_LINE, STANZA) else NEW_LINE
        return max(left - 1, 0) << 2 | (after_line_feed if step == self._line_feed else TEXT)

    def allowed(self, state: int) -> int:
        left, place = state >> 2, state & 3
        if place == NOTHING:
            return self._characters
        return self._end if left <= self._room.get(place, -1) else self._characters | self._end

    def complete(self, state: int) -> Sequence[int]:
        """Return nothing: no ending can complete a truncated text."""
        return ()
