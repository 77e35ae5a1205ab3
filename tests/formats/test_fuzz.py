"""Mutated files give pieces, rejections or a one-line error, within seconds and little memory.

COMPOSER_FUZZ=1000 tries that many per suffix instead of a few.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="Windows has no limits on a process")


def test_mutated_files_are_read_or_rejected():
    count = os.environ.get("COMPOSER_FUZZ", "20")
    script = Path(__file__).with_name("fuzz.py")
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script, "--count", count],
        env=paths, capture_output=True, text=True, timeout=60 + 6 * int(count), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    read = [line.split()[0] for line in done.stdout.splitlines() if "'read'" in line]
    assert read == [".mid", ".musicxml", ".mxl", ".krn", ".mei", ".abc", ".csv", ".txt"]
