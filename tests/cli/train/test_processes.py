"""`composer train` in several processes: one prints, all end together, any number can resume."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.training_files import state_path

TINY = ("--set", "hidden=8", "--set", "layers=1", "--set", "embedding=4", "--set", "dropout=0")
SMALL = ("--batch-size", "4", "--set", "seq_length=16", "--set", "precision=fp32")
QUICK = (*TINY, *SMALL, "--set", "schedule=constant", "--name", "mine")


def free_port():
    """Return a free port."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def started(*arguments):
    """Start two processes that train; return them by rank."""
    said = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "COMPOSER_RENDEZVOUS_TIMEOUT": 60}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "composer", "train", "abc", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {name: str(value) for name, value in said.items()} | {"RANK": str(rank)},
        )
        for rank in range(2)
    ]


def weights():
    """Return the current weights."""
    every = checkpoint_file.load(state_path(store.path_for("mine"))).weights
    return {name: array for name, array in every.items() if name.startswith("weights/")}


def test_torchrun_then_one_process(composer, tunes, home):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", free_port()]
    trained = [*command, "-m", "composer", "train", "abc", tunes, *QUICK, "--max-updates", "3", "--json"]
    done = subprocess.run(list(map(str, trained)), capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"event": "finished"') == 1
    assert [done.stderr.count(line) for line in ("done after 3 updates", "generate: composer gen abc")] == [1, 1]
    resumed = composer("train", "abc", "--name", "mine", "--resume", "--max-updates", "6")
    assert resumed.code == 0, resumed.err
    ours = weights()
    assert composer("train", "abc", tunes, *QUICK, "--max-updates", "6", "--force").code == 0
    theirs = weights()
    assert max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours) < 1e-4


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_process_ends_the_other(composer, tunes, lost):
    both = started(tunes, *QUICK, "--epochs", "1000000", "--set", "save_every=0", "--json")
    assert any('"event": "updated"' in line for line in both[0].stdout)
    both[lost].kill()
    other = both[1 - lost]
    _, err = other.communicate(timeout=60)
    both[lost].communicate()
    assert other.returncode == 1
    lines = [line for line in err.splitlines() if line.startswith(("error:", "hint:"))]
    assert len(lines) == 2
    assert f"rank {lost} ended without an error message" in lines[0]
    assert "--resume" in lines[1]
    step = checkpoint_file.read_header(state_path(store.path_for("mine"))).record["progress"]["update"]
    gone_on = composer("train", "abc", "--name", "mine", "--resume", "--max-updates", step + 2)
    assert gone_on.code == 0, gone_on.err


def test_an_error_is_printed_once(tunes):
    both = started(tunes, *QUICK, "--resume")
    ended = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [1, 1]
    assert [err.count("error:") for _, err in ended] == [1, 0]
    assert "no `abc` training run named 'mine'" in ended[0][1]
    assert not any(out for out, _ in ended)
