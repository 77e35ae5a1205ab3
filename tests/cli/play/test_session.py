"""The piano roll with a cursor, and the keys."""

import os
import re
import shutil
import subprocess
import sys
import termios
from fractions import Fraction

import pytest
from virtual_midi import NAME, Output, install

from composer.api import Note, Part, Score
from composer.cli.app import main
from composer.cli.console import Console
from composer.cli.play.keys import key_reader, split_keys
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


def low(stream, columns, rows, monkeypatch, score=SCORE):
    """A view in a terminal of this size, and its stream."""
    err = stream(terminal=True)
    monkeypatch.setattr("composer.cli.play.roll_view.terminal_size", lambda console: (columns, rows))
    return RollView(Console(stream(), stream(), err, {"TERM": "xterm", "NO_COLOR": "1"}), score), err


STATUS = "0:04 / 0:47  playing   space: pause   n: next   q: quit   a.abc: A tune with a long name"


@pytest.mark.parametrize(
    ("columns", "footer"),
    [
        (90, [STATUS]),
        (60, ["0:04 / 0:47  playing   space: pause   n: next   q: quit", "a.abc: A tune with a long name"]),
        (
            26,
            ["0:04 / 0:47  playing", "space: pause   n: next", "q: quit", "a.abc: A tune with a lo..."],
        ),
    ],
)
@pytest.mark.parametrize("rows", [24, 10])
def test_the_footer_is_whole_in_a_narrow_terminal(stream, monkeypatch, columns, footer, rows):
    view, err = low(stream, columns, rows, monkeypatch)
    lines = frame(view, err, 1.0, STATUS)
    assert lines[-len(footer) :] == footer
    assert len(lines) <= rows
    assert any("▄" in line or "▀" in line for line in lines)
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(("rows", "expected"), [(3, 3), (2, 2), (1, 1)])
def test_a_low_terminal_shows_the_footer_first(stream, monkeypatch, rows, expected):
    view, err = low(stream, 26, rows, monkeypatch)
    lines = frame(view, err, 1.0, STATUS)
    assert lines == ["0:04 / 0:47  playing", "space: pause   n: next", "q: quit"][:expected]


def test_a_line_of_wide_characters_is_not_continued_by_the_terminal(stream, monkeypatch):
    view, err = low(stream, 20, 24, monkeypatch)
    assert frame(view, err, 1.0, "0:04  春の海春の海春の海春の海")[-2:] == ["0:04", "春の海春の海春の..."]


def test_the_caption_gives_way_to_the_roll(stream, monkeypatch):
    view, err = low(stream, 60, 24, monkeypatch)
    whole = frame(view, err, 1.0)
    staff = whole[3 : whole.index("", 3)]
    view, err = low(stream, 60, len(staff) + 3, monkeypatch)
    lines = frame(view, err, 1.0)
    assert whole[0] not in lines
    assert lines == [*whole[2 : 3 + len(staff)], "", "status"][-len(lines) :]


def test_keys(terminal, monkeypatch, tmp_path):
    user, console, program = terminal
    before = termios.tcgetattr(program)
    path = tmp_path / "long.abc"
    path.write_text("X:1\nT:Long\nM:4/4\nL:1/1\nQ:1/4=20\nK:C\nC|D|E|F|G|]\n")
    port = Output()
    install(monkeypatch, port)
    os.write(user, b" \033OQq")  # F2 is no q
    assert main(["play", str(path), "--port", NAME], console) == 0
    assert termios.tcgetattr(program) == before
    assert port.messages
    assert sum(each.type == "note_on" for each in port.messages) <= 1


@pytest.mark.parametrize(("startup", "shown"), [(0.0, True), (1000.0, False)])
def test_nothing_is_shown_before_a_program_is_known_to_play(terminal, monkeypatch, tmp_path, startup, shown):
    user, console, _ = terminal
    path = tmp_path / "long.abc"
    path.write_text("X:1\nT:Long\nM:4/4\nL:1/1\nQ:1/4=20\nK:C\nC|D|E|F|G|]\n")
    program = tmp_path / "timidity"
    program.write_text(f"#!/bin/sh\nexec {shutil.which('sleep')} 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("composer.playback.programs.STARTUP_SECONDS", startup)
    written = list[str]()
    monkeypatch.setattr("composer.cli.play.roll_view._write", lambda _, text: written.append(text))
    os.write(user, b"q")
    assert main(["play", str(path)], console) == 0
    assert ("playing" in "".join(written)) == shown == bool(written)


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


def test_letters_of_other_keys_are_not_typed():
    typed = ["1", "\033[A", "\033OQ", "q", "\033[3~", "\033[15;2~", "\033[[B", "\033q", "\n", "\033"]
    assert split_keys("".join(typed)) == typed


INTERRUPTED_TWICE = """
import os, signal, sys
os.login_tty(int(sys.argv[1]))
from composer.cli import interrupts
from composer.cli.console import Console
from composer.cli.play.keys import key_reader
from composer.cli.play.roll_view import second_screen
interrupts.raise_first(several=False)
with key_reader(Console()), second_screen(Console()):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_second_signal_leaves_the_terminal_as_it_was():
    user, program = os.openpty()
    before = termios.tcgetattr(program)
    command = [sys.executable, "-c", INTERRUPTED_TWICE, str(program)]
    ended = subprocess.run(command, pass_fds=[program], env={**os.environ, "TERM": "xterm"}, check=False, timeout=60)
    assert ended.returncode == 143
    assert termios.tcgetattr(program) == before
    assert os.read(user, 1000).endswith(b"\033[?25h\033[?1049l")
    os.close(user)
    os.close(program)
