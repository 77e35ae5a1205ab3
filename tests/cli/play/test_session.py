"""The piano roll with a cursor, and the keys."""

import os
import re
import termios
from fractions import Fraction

import pytest
from virtual_midi import NAME, Output, install

from composer.api import Note, Part, Score
from composer.cli.app import main
from composer.cli.console import Console
from composer.cli.play.keys import key_reader
from composer.cli.play.roll_view import RollView

SCORE = Score((Part(tuple(Note(Fraction(i), 60 + i % 5, Fraction(1)) for i in range(64))),))
ESCAPE = re.compile(r"\033\[[0-9;?]*[A-Za-z]")


def frame(view, stream, seconds, status="status"):
    stream.buffer.truncate(0)
    stream.buffer.seek(0)
    view.draw(seconds, status)
    return ESCAPE.sub("", stream.data.decode()).split("\r\n")


def cursor(lines):
    """The first column after the keys that has the same bar in all rows of the first system."""
    rows = lines[3 : lines.index("", 3)]
    return next(at for at in range(5, 60) if all(row[at : at + 1] == "│" for row in rows))


@pytest.mark.parametrize("color", [{"NO_COLOR": "1"}, {"COLORTERM": "truecolor"}])
def test_the_cursor_runs_and_the_roll_scrolls(stream, color):
    err = stream(terminal=True)
    environ = {"TERM": "xterm-256color", "COLUMNS": "60", **color}
    view = RollView(Console(stream(), stream(), err, environ), SCORE)
    first, later, last = (frame(view, err, seconds) for seconds in (0.0, 1.0, 31.0))
    assert len(first) <= 24
    assert cursor(first) < cursor(later)
    assert first[0] == last[0]
    assert first[-1] == last[-1] == "status"
    bars = [next(line for line in lines[1:] if re.match(r" +\d", line)).split()[0] for lines in (first, last)]
    assert int(bars[0]) == 1 < int(bars[1])


def test_nothing_is_drawn_twice(stream):
    err = stream(terminal=True)
    view = RollView(Console(stream(), stream(), err, {"TERM": "xterm", "COLUMNS": "60"}), SCORE)
    assert frame(view, err, 1.0) != [""]
    assert frame(view, err, 1.001) == [""]


def test_a_piece_without_a_score(stream):
    err = stream(terminal=True)
    view = RollView(Console(stream(), stream(), err, {"TERM": "xterm", "COLUMNS": "60"}), None)
    assert frame(view, err, 1.0)[-1] == "status"


def test_keys(terminal, monkeypatch, tmp_path):
    user, console, program = terminal
    before = termios.tcgetattr(program)
    path = tmp_path / "long.abc"
    path.write_text("X:1\nT:Long\nM:4/4\nL:1/1\nQ:1/4=20\nK:C\nC|D|E|F|G|]\n")
    port = Output()
    install(monkeypatch, port)
    os.write(user, b" q")
    assert main(["play", str(path), "--port", NAME], console) == 0
    assert termios.tcgetattr(program) == before
    assert port.messages
    assert sum(each.type == "note_on" for each in port.messages) <= 1


def test_an_interruption_restores_the_terminal(terminal):
    user, console, program = terminal
    before = termios.tcgetattr(program)

    def interrupted():
        with key_reader(console) as read_key:
            os.write(user, b"x")
            assert read_key(1) == "x"
            assert termios.tcgetattr(program) != before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert termios.tcgetattr(program) == before
