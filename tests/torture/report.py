"""What was tried so far: `results.json`, from which runs resume and `tests/RELIABILITY.md` is written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faults import FUZZ, PROGRAM, TORTURE, Fault
from guards import GUARDS, Guard
from input_guards import INPUT_GUARDS

from composer.system import locks
from composer.system.files import write_atomic

ROOT = Path(__file__).parents[2]
RESULTS, PAGE = Path(__file__).with_name("results.json"), ROOT / "tests" / "RELIABILITY.md"
LOCK = ROOT / "runs" / "torture" / "results.lock"
"""In a folder that git ignores."""

HEAD = """# Reliability

Written by `make torture`, `make fuzz` and `python tests/torture/mutations.py`. BUDGET is the time in seconds, SEED
another sequence of random moments and changes: `make torture BUDGET=3600 SEED=2`. An interrupted run resumes where it
stopped, and the results of several runs add up, until the code changes that a fault exercises
(`tests/torture/faults.py`). Results are of one commit, the last that changed this code; `+` means that there
were other changes. Minutes are those of CPU time.

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


def last_commit(code: Sequence[str], root: Path = ROOT) -> str:
    """Return the last commit that changed `code`, with a `+` if there are changes that are not committed."""
    commit = _git(root, code, "log", "-1", "--format=%h", "--abbrev=8")
    return f"{commit}+" if _git(root, code, "status", "--porcelain") else commit


def files_of(code: Sequence[str], root: Path = ROOT) -> set[str]:
    """Return the files of `code`, from the root of the repository."""
    return {path.relative_to(root).as_posix() for pattern in code for path in root.glob(pattern) if path.is_file()}


def _git(root: Path, code: Sequence[str], *command: str) -> str:
    """Run git on `code`."""
    patterns = [f":(glob){pattern}" for pattern in code]
    done = subprocess.run(["git", *command, "--", *patterns], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()


class Results:
    """Results by fault and guard, kept in a file, from which the page is written.

    A slice is one run of the script of a fault. The slices with one seed are added up. They count until the code of
    the fault changes, and those of the code as it was are left out when there is a result of the code as it is; results
    of code that is not committed replace only one another. The outcome of a guard counts until the guard or its test
    changes. Several processes may add results.
    """

    def __init__(self, path: Path = RESULTS, page: Path = PAGE, lock: Path = LOCK) -> None:
        self.path, self.page, self.lock = path, page, lock
        self.data = self._read()

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"faults": {}, "guards": {}}
        return json.loads(self.path.read_text("utf-8")) if self.path.is_file() else empty

    def spent(self, fault: Fault, seed: int, commit: str) -> float:
        """Return the seconds that the code of `commit` was tried with slices of `seed`."""
        return float(self._of_seed(fault, seed, commit).get("seconds", 0))

    def slices(self, fault: Fault, seed: int, commit: str) -> int:
        """Return the number of slices of `seed`."""
        return int(self._of_seed(fault, seed, commit).get("slices", 0))

    def add(self, fault: Fault, commit: str, seed: int, seconds: float, cpu: float, done: int, broken: int) -> None:
        """Add the result of a slice of code of `commit`, which took so many seconds, and so much of them of the CPU."""
        with self._changed():
            entries = [each for each in self._entries(fault) if _counts_with(each["commit"], commit)]
            now = self._of_seed(fault, seed, commit)
            added = {"slices": 1, "seconds": seconds, "cpu": cpu, "done": done, "broken": broken}
            sums = {name: round(now.get(name, 0) + value, 1) for name, value in added.items()}
            entries = [each for each in entries if (each["commit"], each["seed"]) != (commit, seed)]
            entries.append({"commit": commit, "seed": seed, **sums, "date": _today()})
            self.data["faults"][fault.name] = entries

    def set_guard(self, guard: Guard, outcome: str) -> None:
        """Keep the outcome of removing a guard."""
        commit = last_commit(PROGRAM)
        with self._changed():
            self.data["guards"][guard.guard] = {
                "digest": _digest(guard), "outcome": outcome, "date": _today(), "commit": commit,
            }  # fmt: skip

    def guard(self, guard: Guard) -> dict[str, str]:
        """Return the outcome of removing a guard, with its date and commit; `not yet` if it has changed since."""
        found = self.data["guards"].get(guard.guard, {})
        return found if found.get("digest") == _digest(guard) else {"outcome": "not yet"}

    def row(self, fault: Fault) -> tuple[str, str, str, str, str]:
        """Return how often a fault was tried, for how long, how often it was broken, when last, and on which commit."""
        entries = self._entries(fault)
        if not entries:
            return "not yet", "", "", "", ""
        commit = entries[-1]["commit"]
        entries = [each for each in entries if each["commit"] == commit]
        done, cpu, broken = (sum(each.get(name, 0) for each in entries) for name in ("done", "cpu", "broken"))
        minutes = f"{cpu / 60:,.1f}" if any("cpu" in each for each in entries) else ""  # the first results have none
        return f"{done:,}", minutes, f"{broken:,}", max(each["date"] for each in entries), commit

    def write_page(self) -> None:
        """Write the page."""
        with self._changed():
            pass

    def text(self) -> str:
        """Return the page."""
        text = HEAD
        for fault in (*TORTURE, *FUZZ):
            text += _row(fault.fault, fault.promise, f"`{fault.script}`", f"`{fault.test}`", *self.row(fault))
        text += GUARD_HEAD
        for guard in (*GUARDS, *INPUT_GUARDS):
            found = self.guard(guard)
            test = guard.test.partition("::")[2] or guard.test
            outcome = (found.get(key, "") for key in ("outcome", "date", "commit"))
            text += _row(guard.guard, f"`{guard.file}`", f"`{test}`", *outcome)
        return text

    def _entries(self, fault: Fault) -> list[dict[str, Any]]:
        return list(self.data["faults"].get(fault.name, []))

    def _of_seed(self, fault: Fault, seed: int, commit: str) -> dict[str, Any]:
        found = (each for each in self._entries(fault) if (each["commit"], each["seed"]) == (commit, seed))
        return next(found, {})

    @contextlib.contextmanager
    def _changed(self) -> Iterator[None]:
        """Read what other processes have added, and save what is changed meanwhile, with the page."""
        with locks.wait_for(self.lock, f"{self.path}", "wait for it to end"):
            self.data = self._read()
            yield
            write_atomic(self.path, f"{json.dumps(self.data, indent=1, sort_keys=True)}\n".encode())
            write_atomic(self.page, self.text().encode())


def _counts_with(before: str, now: str) -> bool:
    """Return whether a result of the commit `before` stays if there is one of the commit `now`."""
    return before == now or (now.endswith("+") and not before.endswith("+"))


def _digest(guard: Guard) -> str:
    """Return a digest of all but the name: an outcome is of one text and one test."""
    return hashlib.blake2b(json.dumps(guard[1:]).encode(), digest_size=6).hexdigest()


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _today() -> str:
    return time.strftime("%Y-%m-%d")
