"""Two processes train the same weights as one, resume each other's training, and end together."""

import json
import os
import random
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from composer.api import ComposerError
from composer.checkpoints.file import load
from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.distributed import rendezvous
from composer.distributed.environment import ProcessInfo
from composer.training.loop import train
from composer.training.run import TrainingRun

sys.path.insert(0, str(Path(__file__).parent))
import two_ranks
from small_plugins import Calm
from two_ranks import AVERAGED, SETTINGS, SPLIT, STOPPED, stopping


def free_port():
    """Return a free port."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def environment(rank, port, **more):
    """Return the variables that a launcher sets for one of two processes."""
    said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return {name: str(value) for name, value in {**said, **more}.items()}


def train_single(folder, name, letters, **changes):
    """Train in this process; return the events."""
    data = prepare(letters, [str(folder / "tunes")], SPLIT)
    run = TrainingRun(Calm(), Calm.Config(), letters, data, folder / f"{name}.safetensors", SETTINGS)
    return list(train(replace(run, **changes)))


def weights(folder, name):
    """Return all arrays of the training state."""
    return load(state_path(folder / f"{name}.safetensors")).weights


def max_difference(ours, theirs):
    """Return the largest difference."""
    assert ours.keys() == theirs.keys()
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder where two ranks trained; one process started `handed` and `averaged`."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "tunes").mkdir()
    generator = random.Random(0)
    words = ["".join(generator.choices("abcdefgh", k=generator.randrange(4, 30))) for _ in range(60)]
    (folder / "tunes" / "words.txt").write_text(" ".join(words))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSER_HOME", str(folder / "own"))
        train_single(folder, "handed", two_ranks.Letters(), stop=stopping(STOPPED))
        train_single(folder, "averaged", two_ranks.Letters(), stop=stopping(STOPPED), settings=AVERAGED)
    port = free_port()
    command = [sys.executable, str(Path(two_ranks.__file__)), str(folder)]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, **environment(rank, port, COMPOSER_HOME=folder / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    for process in running:
        out, err = process.communicate(timeout=100)
        assert (process.returncode, out, err) == (0, b"", b"")
    return folder


@pytest.fixture
def events(folder):
    """Return the events of each rank."""
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]


def test_two_ranks_train_like_one(folder, events, letters):
    ours = train_single(folder, "alone", letters)
    assert max_difference(weights(folder, "alone"), weights(folder, "whole")) < 1e-4
    values = [event.value for event in ours if hasattr(event, "reported")]
    for rank in range(2):
        validated = [event for event in events[rank]["whole"] if event["event"] == "validated"]
        assert [event["value"] for event in validated] == pytest.approx(values, abs=1e-4)
    assert [event["best"] for event in events[0]["whole"] if event["event"] == "validated"] == [
        event["best"] for event in events[1]["whole"] if event["event"] == "validated"
    ]
    monitors = [event.monitor for event in ours if hasattr(event, "monitor")]
    assert [event["monitor"] for event in events[0]["whole"] if event["event"] == "updated"] == pytest.approx(
        monitors, abs=1e-4
    )


def test_a_rank_without_rows(folder, events, letters):
    train_single(folder, "row", letters, settings=replace(SETTINGS, batch_size=1))
    assert max_difference(weights(folder, "row"), weights(folder, "narrow")) < 1e-4


def test_only_the_main_process_saves(events):
    assert "saved" in {event["event"] for event in events[0]["whole"]}
    assert "saved" not in {event["event"] for event in events[1]["whole"]}


def test_later_ranks_use_the_cache(events):
    assert [each["whole"][0]["cached"] for each in events] == [False, True]


def test_resuming_with_more_or_fewer_processes(folder, events, letters):
    """Only one rank is stopped, in the middle of an epoch, with a state to carry over."""
    assert [each["begun"][-1]["reason"] for each in events] == ["interrupted"] * 2
    assert load(state_path(folder / "begun.safetensors")).header.record["progress"]["update"] == STOPPED
    train_single(folder, "begun", letters, resume=True)
    train_single(folder, "through", letters)
    assert max_difference(weights(folder, "through"), weights(folder, "begun")) < 1e-4
    assert max_difference(weights(folder, "through"), weights(folder, "handed")) < 1e-4


def test_resuming_an_average_in_two_processes(folder, events, letters):
    """Each of them validates it."""
    ours = train_single(folder, "throughout", letters, settings=AVERAGED)
    assert max_difference(weights(folder, "throughout"), weights(folder, "averaged")) < 1e-4
    assert max_difference(*(load(folder / f"{name}.safetensors").weights for name in ("throughout", "averaged"))) < 1e-3
    values = [event.value for event in ours if hasattr(event, "reported") and event.update > STOPPED]
    assert len(values) == 2
    for each in events:
        validated = [event["value"] for event in each["averaged"] if event["event"] == "validated"]
        assert validated == pytest.approx(values, abs=1e-4)


def test_out_of_memory_on_one_rank(folder, events, letters):
    for each in events:
        assert [event["rows"] for event in each["short"] if event["event"] == "micro_batch_halved"] == [1]
    train_single(folder, "ample", letters)
    assert max_difference(weights(folder, "ample"), weights(folder, "short")) < 1e-4


def test_ranks_must_train_the_same(events):
    assert {each["strange"] for each in events} == {"ranks 0 and 1 do not have the same pieces"}
    assert {each["unlike"] for each in events} == {"ranks 0 and 1 do not have the same settings"}


def rendezvous_error(monkeypatch, rank, port):
    """Return the error of a rank that cannot connect."""
    for name, value in environment(rank, port, COMPOSER_RENDEZVOUS_TIMEOUT="0.3").items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ComposerError) as caught,
        rendezvous.process_group(ProcessInfo(rank, 2, rank, "127.0.0.1", port), "cpu"),
    ):
        pass
    return caught.value


def test_a_port_in_use(monkeypatch):
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        error = rendezvous_error(monkeypatch, 0, port)
    assert f"port {port} is already in use" in error.message
    assert "--master-port" in error.hint


def test_waiting_for_ranks_times_out(monkeypatch):
    assert "not all of the 2 processes connected" in rendezvous_error(monkeypatch, 0, free_port()).message
    error = rendezvous_error(monkeypatch, 1, free_port())
    assert "rank 1 could not connect to rank 0" in error.message
    assert "COMPOSER_RENDEZVOUS_TIMEOUT" in error.hint
