"""What was tried so far, in a small file from which a run resumes, and the table `tests/RELIABILITY.md` made of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults import FUZZ, TORTURE, Fault
from guards import GUARDS
from input_guards import INPUT_GUARDS

from composer.system import locks

ROOT = Path(__file__).parents[2]
STATE, PAGE = ROOT / "runs" / "torture" / "state.json", ROOT / "tests" / "RELIABILITY.md"

HEAD = """# Reliability

Written by `make torture`, `make fuzz` and `python tests/torture/mutations.py`. BUDGET is the time in seconds, SEED
another sequence of random moments and changes: `make torture BUDGET=3600 SEED=2`. An interrupted run resumes where it
stopped, unless the program has changed. Results are those of one commit, the last that changed the program; `+` means
that there were other changes. Minutes are those of CPU time.

## Faults

Each script in `tests/torture` tries one fault over and over. The suite has a short version of it.

| Fault | Promise | Script | In the suite | Tried | Minutes | Broken | Date | Commit |
|---|---|---|---|---|---|---|---|---|
"""
GUARD_HEAD = """
## Guards

Each guard is removed once, and a test must fail.

| Guard | In | Test that must notice | Outcome | Date | Commit |
|---|---|---|---|---|---|
"""


def program_commit() -> str:
    """Return the last commit that changed the program, with a `+` if there are changes that are not committed."""
    commit = _git("log", "-1", "--format=%h")
    return f"{commit}+" if _git("status", "--porcelain") else commit


def _git(*arguments: str) -> str:
    command = ["git", *arguments, "--", "composer", "plugins"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


class State:
    """Results by fault and guard, kept in a file. A slice is one run of a script with a seed of its own.

    Those of other commits than the one that is tried now never count with its own. Several processes may add results.
    """

    def __init__(self, path: Path = STATE, commit: str | None = None) -> None:
        self.path, self.commit = path, program_commit() if commit is None else commit
        self.data = self._read()

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"slices": {}, "guards": {}}
        return json.loads(self.path.read_text("utf-8")) if self.path.is_file() else empty

    def spent(self, fault: Fault, seed: int) -> float:
        """Return the seconds that a fault was tried with slices of `seed`."""
        return sum(each["seconds"] for each in self._slices(fault, self.commit) if each["seed"] == seed)

    def slices(self, fault: Fault, seed: int) -> int:
        """Return the number of slices of `seed`."""
        return sum(each["seed"] == seed for each in self._slices(fault, self.commit))

    def add(self, fault: Fault, seed: int, seconds: float, cpu: float, done: int, broken: int) -> None:
        """Keep the result of a slice, which took so many seconds, and so much of them of the CPU."""
        entry = {"seed": seed, "seconds": round(seconds, 1), "cpu": round(cpu, 1), "done": done, "broken": broken}
        with self._changed():
            self.data["slices"].setdefault(fault.name, []).append({**entry, "date": _today(), "commit": self.commit})

    def set_guard(self, guard: str, outcome: str) -> None:
        """Keep the outcome of removing a guard."""
        with self._changed():
            self.data["guards"][guard] = {"outcome": outcome, "date": _today(), "commit": self.commit}

    def row(self, fault: Fault) -> tuple[str, str, str, str, str]:
        """Return how often a fault was tried, for how long, how often it was broken, when last, and on which commit."""
        tried = self.data["slices"].get(fault.name)
        if not tried:
            return "not yet", "", "", "", ""
        commit = tried[-1].get("commit", "")
        slices = self._slices(fault, commit)
        done, cpu, broken = (sum(each.get(key, 0) for each in slices) for key in ("done", "cpu", "broken"))
        minutes = f"{cpu / 60:,.1f}" if any("cpu" in each for each in slices) else ""  # earlier results have none
        return f"{done:,}", minutes, f"{broken:,}", slices[-1]["date"], commit

    def _slices(self, fault: Fault, commit: str) -> list[dict[str, Any]]:
        return [each for each in self.data["slices"].get(fault.name, []) if each.get("commit", "") == commit]

    @contextlib.contextmanager
    def _changed(self) -> Iterator[None]:
        """Read what other processes have added, and save what is changed meanwhile."""
        with locks.wait_for(self.path.with_suffix(".lock"), f"{self.path}", "wait for it to end"):
            self.data = self._read()
            yield
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(self.data, indent=1), "utf-8")
            new.replace(self.path)


def write(state: State, page: Path = PAGE) -> None:
    """Write the table."""
    text = HEAD
    for fault in (*TORTURE, *FUZZ):
        text += _row(fault.fault, fault.promise, f"`{fault.script}`", f"`{fault.test}`", *state.row(fault))
    text += GUARD_HEAD
    for guard in (*GUARDS, *INPUT_GUARDS):
        found = state.data["guards"].get(guard.guard, {"outcome": "not yet"})
        test = guard.test.partition("::")[2] or guard.test
        outcome = (found.get(key, "") for key in ("outcome", "date", "commit"))
        text += _row(guard.guard, f"`{guard.file}`", f"`{test}`", *outcome)
    page.write_text(text, "utf-8")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _today() -> str:
    return time.strftime("%Y-%m-%d")
