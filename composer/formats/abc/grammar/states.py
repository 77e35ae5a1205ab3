"""What a state of the automaton is."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["FORK", "MAY_END", "OVER", "SYMBOLED", "Node", "State", "ToneKind"]


class Node(IntEnum):
    """Where in a token, or between which tokens, a state is."""

    HEADER = 0
    PART = 1  # a part begins; `fixed` is 1 where the tune may end here
    REPEAT = 2  # `|` of `|:`
    BEGIN = 3  # something must begin; `fixed` has bit 1 after a chord symbol, bit 2 where `[1` may come
    BRACKET = 4  # `[` of a chord or, with `fixed` 2, of `[1`
    PAREN = 5  # `(` of a triplet
    SYMBOL = 6  # in a chord symbol, `length` being the node of its grammar
    TONE = 7  # a tone of a token must begin
    ACCIDENTAL = 8  # `fixed` is what it alters by, plus 1
    SOUND = 9  # after a letter, or after `]` or `z`, with `length` begun
    TIED = 10  # after `-`
    BAR = 11  # after `|`
    COLON = 12  # after `:` of `:|`
    BREAK = 13  # the line must end; `fixed` is the node that follows, plus 32 where the tune may end there
    SECOND = 14  # `[2` must come
    SECOND_BRACKET = 15
    OVER = 16


class ToneKind(IntEnum):
    """What a tone belongs to."""

    NOTE = 0
    PARTNER = 1  # the second of a pair
    TRIPLE = 2  # the first of a triplet, the next two being 3 and 4; then `held` is the length of the first
    THIRD = 4
    CHORD = 5  # inside its brackets
    CLOSED = 6  # a chord after `]`
    REST = 7


class State(NamedTuple):
    """One state, all in numbers, so that a number can hold it.

    `place` is where the token that is being read begins in the bar; for the partner of a pair, where it ends. `line`
    is twice the full bars of this line, plus one where this bar began at its beginning. `alters` has two bits for
    each letter; `tied` and `tones` hold tones, eight bits each.
    """

    node: int
    plan: int = 0
    place: int = 0
    line: int = 0
    alters: int = 0
    tied: int = 0
    tones: int = 0
    kind: int = 0
    length: int = 0
    fixed: int = 0
    held: int = 0


FORK, SYMBOLED = 2, 1
MAY_END = 32
OVER = State(Node.OVER)
