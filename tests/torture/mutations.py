"""Remove each guard once, in a copy of the repository, and run the test that must notice.

    python tests/torture/mutations.py [WORDS]

tries the guards whose names contain WORDS, and writes the outcomes into `tests/RELIABILITY.md`. With `--new`, it tries
only those without an outcome, which are those that are new or have changed since they were tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import report
from guards import GUARDS, Guard
from input_guards import INPUT_GUARDS

ROOT = Path(__file__).parents[2]
PARTS = ("composer", "plugins", "tests", "pyproject.toml")
NOTICED, PASSED, GONE = "noticed", "NOT NOTICED", "NO SUCH GUARD"


def outcome(guard: Guard, folder: Path) -> str:
    """Return whether the test of a guard fails, in the copy in `folder`, if the guard is removed and only then."""
    path = folder / guard.file
    whole = path.read_text("utf-8")
    if whole.count(guard.text) != 1:
        return GONE
    if _test(guard, folder) != 0:
        return "ITS TEST FAILS WITH IT"
    try:
        path.write_text(whole.replace(guard.text, guard.without), "utf-8")
        code = _test(guard, folder)
        return NOTICED if code == 1 or code < 0 else PASSED  # below 0: a signal ended the tests
    finally:
        path.write_text(whole, "utf-8")


def _test(guard: Guard, folder: Path) -> int:
    """Return the exit code of pytest: 1 if a test fails."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "plugins")])}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-x", "--timeout", "100", "-p", "no:cacheprovider"]
    return subprocess.run([*command, guard.test], cwd=folder, env=environ, capture_output=True, check=False).returncode


def main(words: str = "") -> int:
    """Try the guards, print each outcome, and return how many removals were not noticed.

    `words` are part of their names, or `--new`.
    """
    results, missed = report.Results(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "bench"))
            else:
                shutil.copy(ROOT / part, folder / part)
        for guard in (*GUARDS, *INPUT_GUARDS):
            if results.guard(guard)["outcome"] == "not yet" if words == "--new" else words in guard.guard:
                found = outcome(guard, folder)
                missed += found != NOTICED
                print(f"{guard.guard:40} {found}", flush=True)
                results.set_guard(guard, found)
    results.write_page()
    return missed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]) > 0)
