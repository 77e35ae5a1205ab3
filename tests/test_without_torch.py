"""Composing works where torch is not installed at all."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def libraries(tmp_path):
    """A folder with every installed package but torch."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("torch", "functorch")):
            try:
                (folder / path.name).symlink_to(path, target_is_directory=path.is_dir())
            except OSError:
                pytest.skip("links cannot be made here")
    return folder


def run(libraries, *command):
    # -S leaves out the folder where torch is; the editable install's own path is given instead
    paths = os.pathsep.join(map(str, [ROOT, ROOT / "plugins", libraries]))
    settings = {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-S", *map(str, command)], capture_output=True, text=True, env=settings, check=False
    )


def test_a_tune_without_torch(libraries, checkpoint):
    done = run(libraries, "-c", "import torch")
    assert "No module named 'torch'" in done.stderr
    done = run(libraries, "-m", "composer", "gen", "abc", "--checkpoint", checkpoint, "--length", "60", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("X:1\n")


def test_learning_without_torch_is_one_line(libraries, tunes):
    done = run(libraries, "-m", "composer", "train", "abc", tunes, "--max-updates", "1")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines[-2:]] == ["error", "hint"]
    assert "torch" in lines[-2]
