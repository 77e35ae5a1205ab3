"""Pieces survive as lines of data, and no line runs code."""

import json
import pickle
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import pytest

from composer.api import Piece, RejectedPiece
from composer.data.piece_format import NotData, from_line, to_line

calls = []


class Note(NamedTuple):
    pitch: int
    onset: Fraction


@dataclass(frozen=True, slots=True)
class Roll:
    steps: int
    numbers: bytes


@dataclass(frozen=True)
class Checked:
    """A class whose code would be run if it were called."""

    value: int
    double: int = field(init=False, default=0)

    def __post_init__(self):
        calls.append(self.value)


class Odd(str):
    """A subclass of a plain type, which may have more than its text."""


@pytest.mark.parametrize(
    "content",
    ["X:1\nK:C\n\ud800é", (1, "a", 2.5, None, True), ((1,), ()), [1, [2]], {1: (2,), "a": b"\x00\xff"}, {1, 2},
     frozenset({("a",)}), Fraction(1, 3), float("inf"), Note(60, Fraction(1, 2)), (Note(1, Fraction(2)),),
     Roll(3, b"\x01"), Checked(4), RejectedPiece("reason", "source")],
)  # fmt: skip
def test_content_is_read_back_as_it_was(content):
    piece = Piece(content, "title", "a.abc: tune 1", {"key": "G"}, {"drum notes left out": 2})
    line = to_line(piece)
    assert line.count(b"\n") == 1
    found = from_line(line)
    assert found == piece
    assert type(found.content) is type(content)


def test_no_class_is_called():
    line = to_line(Checked(5))
    calls.clear()
    from_line(line)
    assert not calls


@pytest.mark.parametrize(
    "value", [print, Odd("a"), object(), Piece, (lambda: 1,)], ids=["function", "instance", "object", "class", "nested"]
)
def test_what_is_not_data_is_refused(value):
    with pytest.raises(NotData):
        to_line(value)


NESTED = b"[" * 100_000


@pytest.mark.parametrize(
    "line",
    [b"", b"{}\n", b'{"c":["os","system","true"]}\n', b'{"c":["builtins","eval","1"]}\n',
     b'{"c":["subprocess","Popen",[]]}\n',
     b'{"c":["no.such.module","A"]}\n', b'{"p":[1,2,3,4,5,6,7]}\n', b'{"q":[1,0]}\n', b'{"x":1}\n', b'{"b":"%"}\n',
     b'[1,2]', NESTED + b"\n", pickle.dumps(print) + b"\n"],
)  # fmt: skip
def test_a_planted_line_is_an_error(line):
    with pytest.raises(ValueError, match=r"line|fields|column|base64|Extra|unpack|UTF|decode"):
        from_line(line)


def test_a_class_is_never_imported_for_a_line():
    import sys

    assert "this" not in sys.modules
    with pytest.raises(ValueError, match="damaged"):
        from_line(json.dumps({"c": ["this", "s"]}).encode() + b"\n")
    assert "this" not in sys.modules
