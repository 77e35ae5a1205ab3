"""Short versions of `make torture`: stages of a write, reads of a model that is being saved, changed checkpoints."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interruptions import exit_codes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
HERE = Path(__file__).parent


def tried(name, seconds):
    """Run a script, and return how often it tried its fault."""
    command = [sys.executable, HERE / f"{name}.py", "1", str(seconds)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.splitlines()[-1].split()[0])


def test_each_stage_of_a_write():
    assert tried("write_stages", 60) > 50


def test_reads_while_saving():
    assert tried("readers", 1) > 0


def test_changed_checkpoints():
    assert tried("mutated_checkpoints", 2) > 0


def test_exit_codes_that_are_promised():
    """A signal may end a training in its own way only before there are handlers."""
    assert exit_codes(signal.SIGTERM, has_started=False) == {0, 143, -15}
    assert exit_codes(signal.SIGTERM, has_started=True) == {0, 143}
    assert exit_codes(signal.SIGKILL, has_started=True) == {0, -9}
