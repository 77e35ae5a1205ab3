"""Hostile inputs: whatever a file holds, a command ends in 10 seconds of CPU time and 1 GB of memory, and says why.

    python tests/torture/hostile_inputs.py [SEED] [SECONDS]

prints a table: the input, the command, its CPU time and peak memory, and how it ended.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hostile_cases import CASES, Case
from hostile_files import make_removable
from script import start

MAX_CPU_SECONDS, MAX_MEMORY = 10.0, 1 << 30
"""What a command may take, its imports included."""

KILL_CPU_SECONDS, KILL_ADDRESS_SPACE, KILL_SECONDS = 40, 6 << 30, 120
"""Where it is stopped, so that a broken promise costs little."""

MEASURED = f"""
import os, resource, sys
pid = os.fork()
if not pid:
    resource.setrlimit(resource.RLIMIT_CPU, ({KILL_CPU_SECONDS}, {KILL_CPU_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({KILL_ADDRESS_SPACE}, {KILL_ADDRESS_SPACE}))
    os.nice(5)
    os.execv(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
"""
"""Measures a command from a small process: the peak of a process includes that of the one that it was forked from."""


class Outcome(NamedTuple):
    """How a command ended: its exit code, CPU seconds, peak memory in bytes, and the first line of its error."""

    code: int
    seconds: float
    memory: int
    message: str
    stderr: str

    @property
    def broken(self) -> str:
        """Return which promise it broke; empty if none."""
        if self.code < 0:
            return f"killed by signal {-self.code}"
        if "Traceback" in self.stderr or "internal error" in self.stderr:
            return "internal error"
        if self.seconds > MAX_CPU_SECONDS:
            return "too slow"
        return "too much memory" if self.memory > MAX_MEMORY else ""


def command(arguments: Sequence[str], folder: Path, stdin: Path | None = None) -> Outcome:
    """Run the program on `arguments` in `folder`, within the limits at which it is stopped."""
    environ = {**os.environ, "COMPOSER_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    error_path, used_path = folder / "stderr", folder / "used"
    with (stdin or Path(os.devnull)).open("rb") as given, error_path.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", MEASURED, used_path, sys.executable, "-m", "composer", *arguments],
            stdin=given, stdout=subprocess.DEVNULL, stderr=errors, cwd=folder, env=environ, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    used = used_path.read_text().split() if used_path.exists() else [-signal.SIGKILL, KILL_SECONDS, 0]
    code, seconds, memory = int(used[0]), float(used[1]), int(used[2]) * (1 if sys.platform == "darwin" else 1024)
    text = error_path.read_text("utf-8", "replace")
    lines = [line for line in text.replace("\r", "\n").splitlines() if line.strip()]
    message = next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "")
    return Outcome(code, seconds, memory, message, text)


def outcomes(cases: Sequence[Case], budget_seconds: float) -> Iterator[tuple[Case, Outcome]]:
    """Yield how each case ends, until `budget_seconds` have passed."""
    end = time.monotonic() + budget_seconds
    for case in cases:
        if time.monotonic() > end:
            return
        with tempfile.TemporaryDirectory(prefix="hostile-") as name:
            folder = Path(name)
            case.make(folder)
            stdin = folder / case.stdin if case.stdin else None
            yield case, command(case.arguments, folder, stdin)
            make_removable(folder)


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Run the cases in an order that depends on `seed`, print a table, and return how many broke a promise."""
    cases = list(CASES)
    random.Random(seed).shuffle(cases)
    failures = done = 0
    print(f"{'input':34} {'command':44} {'CPU s':>6} {'MB':>6} {'exit':>4}  outcome")
    for case, outcome in outcomes(cases, budget_seconds):
        broken = outcome.broken or case.unexpected(outcome.code, outcome.stderr)
        failures += bool(broken)
        done += 1
        shown = " ".join(case.arguments)
        print(
            f"{case.name:34} {shown[:44]:44} {outcome.seconds:6.1f} {outcome.memory / 2**20:6.0f} {outcome.code:4} "
            f" {f'BROKEN: {broken}; ' if broken else ''}{outcome.message[:150]}",
            flush=True,
        )
    print(f"{done} of {len(cases)} cases run, {failures} broke a promise")
    return failures


if __name__ == "__main__":
    start(run)
