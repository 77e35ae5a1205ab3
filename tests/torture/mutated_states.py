"""Training states with anything changed: the training goes on, or ends with an error of one line and a hint.

python tests/torture/mutated_states.py [SEED] [SECONDS] [header|arrays|bytes]
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from interruptions import SETTINGS, TUNES
from mutated_checkpoints import read_mutations
from script import start

from composer.api import ComposerError
from composer.checkpoints import store, tensors
from composer.checkpoints.training_files import state_path
from composer.cli.app import main
from composer.cli.console import Console

TRAIN = ("train", "abc", "--name", "mine", "--device", "cpu", "--quiet")


def train(*arguments: str) -> str:
    """Run a training in this process; return what it says. Raises ComposerError if it ends with one."""
    said = io.StringIO()
    code = main([*TRAIN, *arguments], Console(io.StringIO(), io.StringIO(), said))
    lines = said.getvalue().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if code and len(errors) == 1 and "internal error" not in errors[0]:
        raise ComposerError(errors[0], "\n".join(line for line in lines if line.startswith("hint: ")))
    if code or errors:
        raise ValueError(f"exit code {code}: {said.getvalue()[-300:]}")
    return said.getvalue()


def resumption(home: Path, saved: Path) -> Callable[[Path], object]:
    """Return what resumes the training in `home`, and makes `home` again as it is in `saved`."""

    def resume(state: Path) -> str:
        try:
            return train("--resume", "--max-updates", "6")
        finally:
            shutil.rmtree(home)
            shutil.copytree(saved, home)

    return resume


def run(seed: int = 0, budget_seconds: float = 600.0, kind: str = "") -> int:
    """Change states and resume from them until the time is over, and return how many gave another error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        home, saved = folder / "home", folder / "saved"
        os.environ["COMPOSER_HOME"] = str(home)
        Path("tunes.abc").write_text(TUNES)
        train("tunes.abc", "--max-updates", "4", *(text for setting in SETTINGS for text in ("--set", setting)))
        shutil.copytree(home, saved)
        state = state_path(store.path_for("mine"))
        return read_mutations([tensors.read(state)], kind, state, [resumption(home, saved)], seed, budget_seconds)


if __name__ == "__main__":
    start(run)
