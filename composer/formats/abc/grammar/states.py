"""The states of the automaton that accepts the body of a tune."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Node(IntEnum):
    """Where a state is: between two tokens, or after which characters of one. Some give `State.extra` a meaning."""

    HEADER = 0
    PART = 1  # start of a part; extra: 1 if the tune may end here
    REPEAT = 2  # after `|` of `|:`
    ELEMENT = 3  # start of a note, rest, chord or triplet; extra: AFTER_SYMBOL, FIRST_ENDING if `[1` may follow
    BRACKET = 4  # after `[` of a chord or, with extra FIRST_ENDING, of `[1`
    PAREN = 5  # after `(` of a triplet
    SYMBOL = 6  # inside a chord symbol; `length` is the state of ChordSymbolGrammar
    TONE = 7  # start of a note inside a token
    ACCIDENTAL = 8  # after an accidental; extra: its alteration plus 1
    SOUND = 9  # after a letter, `]` or `z`; `length` is the number of the length prefix read so far
    TIED = 10  # after `-`
    BAR = 11  # after `|`
    COLON = 12  # after `:` of `:|`
    LINE_END = 13  # a line feed must follow; extra: the next node, plus MAY_END
    SECOND = 14  # `[2` must follow
    SECOND_BRACKET = 15  # after `[` of `[2`
    DONE = 16


FORCED: Mapping[int, str] = {
    Node.REPEAT: ":", Node.PAREN: "3", Node.COLON: "|", Node.LINE_END: "\n", Node.SECOND: "[", Node.SECOND_BRACKET: "2",
}  # fmt: skip
"""Nodes that only one character may follow."""


class ToneKind(IntEnum):
    """The token that a note is in. A triplet's second note has kind 3, between TRIPLET_FIRST and TRIPLET_THIRD."""

    NOTE = 0
    PAIR_SECOND = 1  # after `>` or `<`
    TRIPLET_FIRST = 2
    TRIPLET_THIRD = 4
    CHORD = 5  # inside the brackets
    CHORD_CLOSED = 6  # after `]`
    REST = 7


class State(NamedTuple):
    """A state of the body, all integers so that it packs into one (see `automaton._pack`).

    `context` numbers the PartContext. `position` is where the current token starts in the bar; for PAIR_SECOND, where
    it ends. `line` is twice the number of full bars in this line, plus 1 if the current bar started at its beginning.
    `alters` holds the accidentals in force, two bits per letter. `tied` and `tones` hold notes, eight bits each (see
    `vocabulary.code_of`). `triplet_length` is the length of the first note of a triplet.
    """

    node: int
    context: int = 0
    position: int = 0
    line: int = 0
    alters: int = 0
    tied: int = 0
    tones: int = 0
    kind: int = 0
    length: int = 0
    extra: int = 0
    triplet_length: int = 0


FIRST_ENDING, AFTER_SYMBOL = 2, 1
MAY_END = 32
DONE = State(Node.DONE)
