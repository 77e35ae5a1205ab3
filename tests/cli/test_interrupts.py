"""Signals at any moment of a command: one exit code, no traceback."""

import os
import signal
import subprocess
import sys

import pytest

from composer import __main__
from composer.cli import app, interrupts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals to send")

PROGRAM = """
import os, signal, sys
at, numbers = sys.argv.pop(1), [int(number) for number in sys.argv.pop(1).split(",")]

def send(numbers=numbers):
    try:
        os.kill(os.getpid(), numbers[0])
    finally:  # also while the first one ends the program
        if numbers[1:]:
            send(numbers[1:])

class Finder:  # sends while the module called `at` is imported
    def find_spec(self, name, path, target=None):
        if name == at:
            send()

sys.meta_path.insert(0, Finder())
from composer.__main__ import command
if at == "the end":
    import atexit
    atexit.register(send)
command()
"""

BETWEEN = """
import os, signal
from composer.__main__ import command
from composer.cli import interrupts
interrupts.exit_at_once = lambda code: os.kill(os.getpid(), signal.SIGHUP)
command()
"""


def run(at, *numbers):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, at, ",".join(str(int(number)) for number in numbers), "version"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "code"), [("composer.cli", 130), ("composer.cli.app", -signal.SIGINT), ("typer", -signal.SIGINT)]
)
def test_a_signal_while_starting_ends_it_silently(at, code):
    done = run(at, signal.SIGINT)
    assert done.returncode == code
    assert (done.stdout, done.stderr) == ("", "")


def test_the_first_signal_gives_the_exit_code():
    for first, second in [(signal.SIGTERM, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)]:
        done = run("composer.cli.commands.version", first, second)
        assert done.returncode == 128 + first
        assert done.stderr == "", "it ended at once"


def test_one_signal_is_reported():
    done = run("composer.cli.commands.version", signal.SIGTERM)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "interrupted\n")


def test_a_signal_at_the_end_does_not_change_the_exit_code():
    done = run("the end", signal.SIGINT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_signal_after_the_end_keeps_its_exit_code():
    """It comes between the end of the program and the lines that let signals end it at once."""
    done = subprocess.run(
        [sys.executable, "-c", BETWEEN, "version"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (128 + signal.SIGHUP, "")


def test_an_error_that_a_library_makes_of_an_interruption(composer, monkeypatch):
    def interrupted(*_):
        monkeypatch.setattr(interrupts, "was_raised", lambda: True)
        raise ImportError("numpy.core.multiarray failed to import")

    monkeypatch.setattr(app, "_run", interrupted)
    result = composer("version")
    assert (result.code, result.err) == (130, "interrupted\n")


def test_a_signal_between_the_lines_that_report_it(monkeypatch):
    """Whatever `command` is doing, KeyboardInterrupt does not leave it."""

    def interrupted(*_):
        raise KeyboardInterrupt

    def exited(code):
        raise SystemExit(code)

    monkeypatch.setattr(interrupts, "end_silently", interrupted)
    monkeypatch.setattr(os, "_exit", exited)
    try:
        with pytest.raises(SystemExit) as stopped:
            __main__.command()
    except KeyboardInterrupt:  # which would end pytest
        pytest.fail("it left `command`")
    assert stopped.value.code == 130
