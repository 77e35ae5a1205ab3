"""Several processes: two of them learn what one does, go on with what one began, and end together."""

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
from composer.data.dataset import prepare
from composer.distributed import rendezvous
from composer.distributed.environment import ProcessInfo
from composer.training.loop import train
from composer.training.resume import state_path
from composer.training.run import TrainingRun

sys.path.insert(0, str(Path(__file__).parent))
import two_ranks
from small_plugins import Calm
from two_ranks import AVERAGED, SETTINGS, SPLIT, STOPPED, stopping


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def environment(rank, port, **more):
    """What a launcher says to one of two processes."""
    said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return {name: str(value) for name, value in {**said, **more}.items()}


def alone(folder, name, letters, **changes):
    """Train in this process."""
    data = prepare(letters, [str(folder / "tunes")], SPLIT)
    run = TrainingRun(Calm(), Calm.Config(), letters, data, folder / f"{name}.safetensors", SETTINGS)
    return list(train(replace(run, **changes)))


def weights(folder, name):
    """The latest weights, moments and state."""
    return load(state_path(folder / f"{name}.safetensors")).weights


def apart(ours, theirs):
    """The largest difference."""
    assert ours.keys() == theirs.keys()
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where two ranks have trained; `handed` and `averaged` were begun by one."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "tunes").mkdir()
    generator = random.Random(0)
    words = ["".join(generator.choices("abcdefgh", k=generator.randrange(4, 30))) for _ in range(60)]
    (folder / "tunes" / "words.txt").write_text(" ".join(words))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSER_HOME", str(folder / "own"))
        alone(folder, "handed", two_ranks.Letters(), stop=stopping(STOPPED))
        alone(folder, "averaged", two_ranks.Letters(), stop=stopping(STOPPED), settings=AVERAGED)
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
def told(folder):
    """What each rank saw."""
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]


def test_two_learn_what_one_does(folder, told, letters):
    ours = alone(folder, "alone", letters)
    assert apart(weights(folder, "alone"), weights(folder, "whole")) < 1e-4
    values = [event.value for event in ours if hasattr(event, "reported")]
    for rank in range(2):
        validated = [event for event in told[rank]["whole"] if event["event"] == "validated"]
        assert [event["value"] for event in validated] == pytest.approx(values, abs=1e-4)
    assert [event["best"] for event in told[0]["whole"] if event["event"] == "validated"] == [
        event["best"] for event in told[1]["whole"] if event["event"] == "validated"
    ]
    monitors = [event.monitor for event in ours if hasattr(event, "monitor")]
    assert [event["monitor"] for event in told[0]["whole"] if event["event"] == "updated"] == pytest.approx(
        monitors, abs=1e-4
    )


def test_a_rank_without_rows_takes_part(folder, told, letters):
    alone(folder, "row", letters, settings=replace(SETTINGS, batch_size=1))
    assert apart(weights(folder, "row"), weights(folder, "narrow")) < 1e-4


def test_only_the_first_saves(told):
    assert "saved" in {event["event"] for event in told[0]["whole"]}
    assert "saved" not in {event["event"] for event in told[1]["whole"]}


def test_who_comes_later_finds_what_the_first_encoded(told):
    assert [each["whole"][0]["cached"] for each in told] == [False, True]


def test_one_goes_on_with_what_two_began_and_two_with_what_one_did(folder, told, letters):
    """Though only one rank was told to stop, and in the middle of an epoch, with a state to carry on."""
    assert [each["begun"][-1]["reason"] for each in told] == ["interrupted"] * 2
    assert load(state_path(folder / "begun.safetensors")).header.record["progress"]["update"] == STOPPED
    alone(folder, "begun", letters, resume=True)
    alone(folder, "through", letters)
    assert apart(weights(folder, "through"), weights(folder, "begun")) < 1e-4
    assert apart(weights(folder, "through"), weights(folder, "handed")) < 1e-4


def test_two_go_on_with_the_average_that_one_began(folder, told, letters):
    """Each of them measures it."""
    ours = alone(folder, "throughout", letters, settings=AVERAGED)
    assert apart(weights(folder, "throughout"), weights(folder, "averaged")) < 1e-4
    assert apart(*(load(folder / f"{name}.safetensors").weights for name in ("throughout", "averaged"))) < 1e-3
    values = [event.value for event in ours if hasattr(event, "reported") and event.update > STOPPED]
    assert len(values) == 2
    for each in told:
        validated = [event["value"] for event in each["averaged"] if event["event"] == "validated"]
        assert validated == pytest.approx(values, abs=1e-4)


def test_where_memory_is_short_on_one_rank_all_take_fewer_rows(folder, told, letters):
    for each in told:
        assert [event["rows"] for event in each["short"] if event["event"] == "micro_batch_halved"] == [1]
    alone(folder, "ample", letters)
    assert apart(weights(folder, "ample"), weights(folder, "short")) < 1e-4


def test_ranks_must_be_about_to_learn_the_same(told):
    assert {each["strange"] for each in told} == {"ranks 0 and 1 do not have the same pieces"}
    assert {each["unlike"] for each in told} == {"ranks 0 and 1 do not have the same settings"}


def not_met(monkeypatch, rank, port):
    """The error of a rank that the others do not find."""
    for name, value in environment(rank, port, COMPOSER_RENDEZVOUS_TIMEOUT="0.3").items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ComposerError) as caught,
        rendezvous.process_group(ProcessInfo(rank, 2, rank, "127.0.0.1", port), "cpu"),
    ):
        pass
    return caught.value


def test_a_port_that_is_taken_is_named(monkeypatch):
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        error = not_met(monkeypatch, 0, port)
    assert f"port {port} is already in use" in error.message
    assert "--master-port" in error.hint


def test_ranks_that_do_not_come_are_not_waited_for_for_ever(monkeypatch):
    assert "not all of the 2 processes connected" in not_met(monkeypatch, 0, free_port()).message
    error = not_met(monkeypatch, 1, free_port())
    assert "rank 1 could not connect to rank 0" in error.message
    assert "COMPOSER_RENDEZVOUS_TIMEOUT" in error.hint
