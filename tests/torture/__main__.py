"""Try faults one after another for some time, and write `tests/RELIABILITY.md`.

    python tests/torture torture|fuzz [--budget SECONDS] [--seed N] [--only NAME]

The time is shared equally. Most of it is spent in slices of one to five minutes, each with a seed of its own, and an
interrupted run loses no more than a slice: the same command continues. Results are kept in `tests/torture/results.json`
and add up until the code changes that the fault exercises. NAME is that of a script and its kind, such as
"mutated_files abc". Several commands may run side by side. Exits with 1 if a promise was broken, after all faults.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import report
from faults import FUZZ, TORTURE, Fault

GROUPS = {"torture": TORTURE, "fuzz": FUZZ}
HERE = Path(__file__).parent


def run_slice(fault: Fault, seed: int, seconds: float) -> tuple[int, int]:
    """Run the script of a fault; return how often the fault was tried, and how often the promise was broken."""
    script, *kind = fault.script.split(" ")
    command = [sys.executable, str(HERE / script), str(seed), str(seconds), *kind]
    line = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "BROKEN" in line:
                print(f"  {line.rstrip()}", flush=True)
    found = re.search(r"^(\d+) .*, (\d+) broke ", line)
    if found is None:
        print(f"  BROKEN: {script} ended with exit code {process.returncode} and without a result", flush=True)
        return 1, 1
    return int(found[1]), int(found[2])


def cpu_seconds() -> float:
    """Return the CPU time of all scripts that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def commit_of(fault: Fault) -> str:
    """Return the last commit that changed the code of a fault."""
    return report.last_commit(fault.code)


def main() -> int:
    """Try the faults of a group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("--budget", type=float, default=600.0, help="seconds for all faults together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="one fault")
    given = parser.parse_args()
    faults = [fault for fault in GROUPS[given.group] if given.only in ("", fault.name)]
    if not faults:
        parser.error(f"no fault is called {given.only!r}")
    results, share, seed, broken = report.Results(), given.budget / len(faults), given.seed, 0
    while left := [(each, spent) for each in faults if (spent := results.spent(each, seed, commit_of(each))) < share]:
        for fault, spent in left:
            commit = commit_of(fault)
            number = seed * 1000 + results.slices(fault, seed, commit)
            seconds = min(fault.slice_seconds, share - spent)
            began, cpu = time.monotonic(), cpu_seconds()
            done, failed = run_slice(fault, number, seconds)
            broken += failed
            print(f"{fault.name:28} seed {number}: {done} tried, {failed} broken", flush=True)
            took = max(time.monotonic() - began, seconds)  # a script that is done early has nothing more to try
            if commit_of(fault) == commit:
                results.add(fault, commit, seed, took, cpu_seconds() - cpu, done, failed)
            else:
                print(f"{fault.name:28} not counted, because its code changed meanwhile", flush=True)
    results.write_page()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
