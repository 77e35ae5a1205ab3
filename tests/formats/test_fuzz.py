"""Mutated files give pieces, rejections or a one-line error, within seconds and little memory.

COMPOSER_FUZZ=1000 tries that many per suffix instead of a few.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="Windows has no limits on a process")


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".mxl", ".krn", ".abc", ".csv"])
def test_mutated_files_are_read_or_rejected(suffix):
    count = os.environ.get("COMPOSER_FUZZ", "20")
    script = Path(__file__).with_name("fuzz.py")
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script, "--only", suffix, "--count", count],
        env=paths, capture_output=True, text=True, timeout=20 + int(count), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'read'" in done.stdout
