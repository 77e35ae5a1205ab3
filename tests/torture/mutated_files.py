"""Music files of each format with anything changed: pieces, rejections or an error of one line and a hint.

    python tests/torture/mutated_files.py [SEED] [SECONDS]

`tests/formats/fuzz.py` has the mutations and the limits on time and memory.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

FUZZ = Path(__file__).parents[1] / "formats" / "fuzz.py"
COUNT = 20
"""Files of each kind in a process."""


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Read files until the time is over, and return how many gave another outcome."""
    end, done, failures, number = time.monotonic() + budget_seconds, 0, 0, 0
    while time.monotonic() < end:
        number += 1
        command = [sys.executable, str(FUZZ), "--count", str(COUNT), "--seed", str(seed * 100_000 + number)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        broken = [line for line in ended.stdout.splitlines() if line.startswith("BROKEN")]
        if ended.returncode and not broken:
            broken = [ended.stderr.strip()[-300:] or f"exit code {ended.returncode}"]
        done += sum(int(count) for count in re.findall(r"'\w+': (\d+)", ended.stdout))
        failures += len(broken)
        for line in broken:
            print(f"seed {seed * 100_000 + number}  {line}", flush=True)
    print(f"{done} changed files, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    sys.exit(run(int(given[0]) if given else 0, given[1] if given[1:] else 600.0) > 0)
