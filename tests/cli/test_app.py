"""The program as a whole: help, version, pipes and signals."""

import contextlib
import os
import signal
import subprocess
import sys
from importlib import import_module

import pytest

import composer as package
from composer.cli.command import COMMANDS, module_of
from composer.cli.gen import run
from composer.generation.request import Finished


def test_version(composer):
    assert composer("--version").out == composer("version").out == f"composer {package.__version__}\n"


def test_no_command_prints_help_to_stderr(composer):
    result = composer()
    assert result.code == 2
    assert not result.data
    assert "Usage: composer" in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(composer, command):
    result = composer(command, "--help")
    assert result.code == 0
    text = result.out
    assert f"Usage: composer {command}" in text
    lines = [line.split() for line in text.splitlines() if line.strip().startswith("-")]
    assert all(len(words) > 2 or len(words[-1]) > 12 for words in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_annotations_are_evaluated_once(command):
    """Strings would be compiled at every start."""
    module = import_module(module_of(command))
    kind = module.make_command("").options if hasattr(module, "make_command") else getattr(module, command)
    assert not [name for name, hint in kind.__annotations__.items() if isinstance(hint, str)]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(composer, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, composer(*command.split(), "--help").out.splitlines())) <= 80


def test_color_only_on_a_terminal(composer):
    assert "\x1b[1;31merror:\x1b[0m" in composer("gne", terminal=True).err
    assert "\x1b" not in composer("gne").err
    assert "\x1b" not in composer("gne", terminal=True, NO_COLOR="1").err
    assert "\x1b" not in composer("gne", terminal=True, TERM="dumb").err


def test_python_m_composer(process):
    assert process("--version").stdout == f"composer {package.__version__}\n".encode()


def test_usage_error_exits_with_2(process):
    done = process("gne")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: ")


def test_closed_pipe(checkpoint, process):
    running = process(
        "gen", "abc", "--checkpoint", checkpoint, "--count", "1000", "--batch-size", "2", "--quiet", wait=False
    )
    assert running.stdout.readline() == b"X:1\n"
    running.stdout.close()
    assert running.wait(timeout=60) == 0
    assert running.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows closes pipes in another way")
def test_help_into_a_closed_pipe(process):
    reading, writing = os.pipe()
    os.close(reading)
    done = process("gen", "--help", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no shell that closes streams")
@pytest.mark.parametrize(
    ("arguments", "closed", "words"),
    [
        (("--prime", "-"), "<&-", b"error: cannot read stdin"),
        ((), ">&-", b"error: cannot write to stdout"),
        (("--seed", "-1"), "2>&-", b""),
    ],
)
def test_closed_streams(checkpoint, process, arguments, closed, words):
    command = [sys.executable, "-m", "composer", "gen", "abc", "--checkpoint", str(checkpoint), "-q", *arguments]
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *command], capture_output=True, check=False)
    assert done.returncode == (1 if words else 2)
    assert done.stderr.startswith(words)
    assert done.stderr.count(b"\n") == (2 if words else 0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c(checkpoint, process):
    running = process("gen", "abc", "--checkpoint", checkpoint, "--count", "100000", "--batch-size", "2", wait=False)
    assert running.stdout.readline() == b"X:1\n"
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.endswith(b"interrupted\n")
    assert b"Traceback" not in err


def test_ctrl_c_keeps_complete_pieces(composer, checkpoint, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        ended = 0
        for event in generate(*arguments, **options):
            yield event
            ended += isinstance(event, Finished)
            if ended == 2:
                raise KeyboardInterrupt

    generate = run.generate
    arguments = ("gen", "abc", "--checkpoint", checkpoint, "--seed", "1", "--length", "60")
    two = composer(*arguments, "--count", "2").out
    monkeypatch.setattr(run, "generate", interrupted)
    result = composer(*arguments, "--count", "9", "--batch-size", "2", "--output", tmp_path / "tunes.abc")
    assert result.code == 130
    assert result.err.endswith("interrupted\n")
    assert (tmp_path / "tunes.abc").read_text() == two


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
def test_no_binary_on_a_terminal(checkpoint, process):
    import pty

    outer, inner = pty.openpty()
    running = process(
        "gen",
        "abc",
        "--checkpoint",
        checkpoint,
        "--format",
        "midi",
        "--length",
        "60",
        "--seed",
        "2",
        wait=False,
        stdout=inner,
    )
    os.close(inner)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(outer, 65536):
            shown += part
    os.close(outer)
    _, err = running.communicate()
    assert running.returncode == 0, err
    assert b"notes" in shown
    assert b"MThd" not in shown


def test_output_is_utf8_in_any_locale(tunes, process):
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = process("show", tunes, "--tune", "1", env=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("utf-8").startswith("Over the Fence")
