"""Training stops cleanly and saves: at signals, and when its reports cannot be written anymore."""

import os
import signal

import pytest

from composer.api import ComposerError
from composer.checkpoints import file as checkpoints
from composer.checkpoints import store
from composer.cli.console import ClosedPipe
from composer.training.events import Updated

SETTINGS = ("hidden=8", "layers=1", "embedding=4", "seq_length=16", "batch_size=4")
QUICK = [part for setting in SETTINGS for part in ("--set", setting)]


@pytest.fixture
def train(composer):
    """Train a tiny model."""

    def run(*arguments, steps=4):
        return composer("train", "abc", *arguments, *QUICK, "--max-updates", steps)

    return run


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(tunes, home, process, composer, number, tmp_path):
    copy = tmp_path / "copy.safetensors"
    options = ("--output", copy, "--epochs", "1000000", "--json")
    running = process("train", "abc", tunes, "--name", "mine", *QUICK, *options, wait=False)
    assert any(b'"updated"' in line for line in running.stdout)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number, err
    assert b'"reason": "interrupted"' in out
    assert (
        err.index(b"stopping after this update")
        < err.index(b"interrupted after")
        < err.index(b"resume:   composer train abc")
    )
    assert b"--name mine --resume" in err
    assert copy.read_bytes() == store.path_for("mine").read_bytes()
    assert b"Traceback" not in err
    again = composer("train", "abc", "--name", "mine", "--resume", "--max-updates", "1", "--quiet")
    assert again.code == 0, again.err


def test_a_closed_pipe_stops_training_and_saves(train, composer, tunes, monkeypatch):
    written = []

    def write(self, data):
        written.append(data)
        if len(written) > 3:
            raise ClosedPipe

    monkeypatch.setattr("composer.cli.console.Console._write_raw", write)
    monkeypatch.setattr("composer.cli.train.run.discard_output", lambda stream: None)
    result = train(tunes, "--name", "mine", "--json", steps=100_000)
    assert result.code == 141
    assert "interrupted after 2 updates" in result.err
    assert "--name mine --resume" in result.err
    assert checkpoints.read_header(store.path_for("mine")).record["reason"] == "interrupted"


def test_a_pipe_closed_at_the_last_line(train, tunes, monkeypatch):
    def write(self, data):
        if b'"finished"' in data:
            raise ClosedPipe

    monkeypatch.setattr("composer.cli.console.Console._write_raw", write)
    monkeypatch.setattr("composer.cli.train.run.discard_output", lambda stream: None)
    result = train(tunes, "--name", "mine", "--json", steps=1)
    assert result.code == 141
    assert "saved " in result.err


def test_a_full_disk_below_stdout_stops_training_and_saves(train, tunes, monkeypatch):
    def write(self, data):
        raise ComposerError("cannot write to stdout: full", "free up disk space")

    monkeypatch.setattr("composer.cli.console.Console._write_raw", write)
    result = train(tunes, "--name", "mine", "--json", steps=100_000)
    assert result.code == 1
    assert result.err.endswith("error: cannot write to stdout: full\nhint: free up disk space\n")
    assert checkpoints.read_header(store.path_for("mine")).record["updates"] == 1


@pytest.fixture
def send(monkeypatch):
    """Send signals to this process at the first update."""

    def set_numbers(*numbers):
        def kill(self, event):
            if isinstance(event, Updated) and event.update == 1:
                for number in numbers:
                    os.kill(os.getpid(), number)

        monkeypatch.setattr("composer.cli.train.progress.JsonReporter.on_event", kill)

    return set_numbers


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals to send")
def test_a_second_signal_keeps_the_exit_code_of_the_first(train, tunes, send):
    send(signal.SIGTERM, signal.SIGINT)
    assert train(tunes, "--name", "mine", "--json").code == 143


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_sighup_saves_unless_it_is_ignored(train, tunes, send):
    send(signal.SIGHUP)
    result = train(tunes, "--name", "mine", "--json", steps=100_000)
    assert result.code == 129
    assert checkpoints.read_header(store.path_for("mine")).record["updates"] == 1
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert train(tunes, "--name", "other", "--json").code == 0
    finally:
        signal.signal(signal.SIGHUP, before)
