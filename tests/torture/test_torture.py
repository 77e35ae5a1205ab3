"""Short versions of `make torture` and `make fuzz`, most of which also show which code they exercise."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from faults import FUZZ, PROGRAM, TORTURE
from hostile_cases import CASES
from hostile_files import make_removable
from interruptions import exit_codes, is_of_python
from report import ROOT, files_of

import composer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
HERE = Path(__file__).parent
LISTED = tuple(f"mutated_files {suffix}" for suffix in ("abc", "mid", "mxl", "krn", "mei", "csv"))
COMPARED = ("interruptions signal", "write_stages", "readers", "mutated_checkpoints", "mutated_states", *LISTED)
"""A fault of each list of code that is not all of the program."""

AT_EXIT = """
import atexit, os, sys

@atexit.register
def note():
    with open(os.path.join(os.environ["IMPORTED"], str(os.getpid())), "w") as file:
        for module in list(sys.modules.values()):
            print(getattr(module, "__file__", None) or "", file=file)
"""
"""A `sitecustomize` module, which every Python process imports that starts below it."""

FEW = [
    ("device", "check"), ("device on stdin", "replay"), ("zip: 2,000 overlapping", "check"),
    ("kern: splits 16 times", "check"), ("kern: 30 MB of comments", "check"),
    ("abc: line of 50 MB", "show"), ("checkpoint: layers=10**9", "gen"), ("replay: length", "replay"),
    ("bad files among models", "plugins"),
]  # fmt: skip
"""A few of the hostile inputs."""


def tried(name, seconds):
    """Run the script of a fault, compare what it imports with the fault's code; return how often it tried the fault."""
    fault = next(fault for fault in (*TORTURE, *FUZZ) if fault.name.startswith(name))
    script, *kind = name.split(" ")
    code, shown, imported = imported_files([HERE / f"{script}.py", "1", str(seconds), *kind])
    assert code == 0, shown
    assert "composer/api/__init__.py" in imported
    assert sorted(imported - files_of(fault.code)) == []
    return int(shown.splitlines()[-1].split()[0])


def imported_files(command):
    """Run a command of Python; return its exit code, its output and the files of the program that it imports.

    What processes import counts too that it starts, unless they are killed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hook").mkdir()
        (folder / "hook" / "sitecustomize.py").write_text(AT_EXIT)
        (folder / "imported").mkdir()
        paths = os.pathsep.join([str(folder / "hook"), *sys.path])
        environ = {**os.environ, "PYTHONPATH": paths, "IMPORTED": str(folder / "imported")}
        done = subprocess.run([sys.executable, *command], env=environ, capture_output=True, text=True, check=False)
        files = {line for path in (folder / "imported").iterdir() for line in path.read_text().splitlines()}
    inside = {Path(file).relative_to(ROOT).as_posix() for file in files if Path(file).is_relative_to(ROOT)}
    own = {file for file in inside if file.startswith(("composer/", "plugins/"))}
    return done.returncode, done.stdout + done.stderr, own


def test_each_stage_of_a_write():
    assert tried("write_stages", 60) > 50


def test_reads_while_saving():
    assert tried("readers", 1) > 0


def test_an_interruption():
    assert tried("interruptions signal", 0) == 1


def test_interrupted_commands():
    done = subprocess.run([sys.executable, HERE / "interrupted_commands.py", "1", "0", "check"], check=False)
    assert done.returncode == 0


def test_changed_checkpoints():
    assert tried("mutated_checkpoints", 2) > 0


def test_changed_states():
    assert tried("mutated_states", 1) > 0


@pytest.mark.parametrize("name", LISTED)
def test_changed_files(name):
    assert tried(name, 1) > 0


def test_the_code_of_each_fault_is_compared():
    compared = [fault.code for fault in (*TORTURE, *FUZZ) if fault.name.startswith(COMPARED)]
    assert [fault.name for fault in (*TORTURE, *FUZZ) if fault.code not in (*compared, PROGRAM)] == []


def test_exit_codes_that_are_promised():
    """A signal may end a training in its own way only before there are handlers."""
    assert exit_codes(signal.SIGTERM, has_started=False) == {0, 143, -15}
    assert exit_codes(signal.SIGTERM, has_started=True) == {0, 143}
    assert exit_codes(signal.SIGKILL, has_started=True) == {0, -9}


def test_a_traceback_of_python_itself_is_no_fault_of_the_program():
    """Python's modules are imported before the program has any say."""
    before = 'Traceback (most recent call last):\n  File "/usr/lib/python3.11/contextlib.py", line 6, in <module>\n'
    own = f'  File "{Path(composer.__file__).parent / "__main__.py"}", line 5, in <module>\n'
    assert is_of_python(f"{before}KeyboardInterrupt\n")
    assert not is_of_python(f"{before}{own}KeyboardInterrupt\n")
    assert not is_of_python(f"{before}ValueError\n")
    assert not is_of_python("")


@pytest.mark.parametrize("name", FEW, ids=" ".join)
def test_hostile_input(tmp_path, name):
    """An answer in one line, and less than 1 GB of memory."""
    from hostile_inputs import MAX_MEMORY, command  # limits processes as Windows cannot

    case = next(case for case in CASES if (case.name, case.arguments[0]) == name)
    case.make(tmp_path)
    outcome = command(case.arguments, tmp_path, tmp_path / case.stdin if case.stdin else None)
    make_removable(tmp_path)
    assert outcome.code in {0, 1, 2}, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "internal error" not in outcome.stderr
    assert outcome.memory < MAX_MEMORY
    assert not case.unexpected(outcome.code, outcome.stderr)
