"""Generation works without torch installed."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def libraries(tmp_path):
    """Return a folder with every installed package except torch."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("torch", "functorch")):
            try:
                (folder / path.name).symlink_to(path, target_is_directory=path.is_dir())
            except OSError:
                pytest.skip("needs symbolic links")
    return folder


def run(libraries, *command):
    # -S skips site-packages with torch; PYTHONPATH has the path of the editable install
    paths = os.pathsep.join(map(str, [ROOT, ROOT / "plugins", libraries]))
    settings = {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-S", *map(str, command)], capture_output=True, text=True, env=settings, check=False
    )


def test_generate_without_torch(libraries, checkpoint):
    result = run(libraries, "-c", "import torch")
    assert "No module named 'torch'" in result.stderr
    result = run(libraries, "-m", "composer", "gen", "abc", "--checkpoint", checkpoint, "--length", "60", "--seed", "1")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("X:1\n")


def test_train_without_torch_gives_an_error(libraries, tunes):
    result = run(libraries, "-m", "composer", "train", "abc", tunes, "--max-updates", "1")
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines[-2:]] == ["error", "hint"]
    assert "torch" in lines[-2]
