"""Files of each kind that is read, with anything changed: pieces, rejections or an error of one line and a hint.

    python tests/torture/mutated_files.py [SEED] [SECONDS] [SUFFIX]

`tests/formats/fuzz.py` has the mutations and the limits on time and memory.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from script import start

FUZZ = Path(__file__).parents[1] / "formats" / "fuzz.py"
ROUND_SECONDS = 300.0
"""How long a process reads files, of whose errors the last one may be its end."""


def run(seed: int = 0, budget_seconds: float = 600.0, suffix: str = "") -> int:
    """Read files until the time is over, and return how many gave another outcome."""
    end, done, failures, number = time.monotonic() + budget_seconds, 0, 0, 0
    only = [f"--only=.{suffix}"] if suffix else []
    while (left := end - time.monotonic()) > 0:
        number += 1
        name = str(seed * 100_000 + number)
        command = [sys.executable, str(FUZZ), "--seed", name, "--seconds", str(min(left, ROUND_SECONDS)), *only]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        broken = [line for line in ended.stdout.splitlines() if line.startswith("BROKEN")]
        if ended.returncode and not broken:
            broken = [f"BROKEN: {ended.stderr.strip()[-300:] or f'exit code {ended.returncode}'}"]
        counts = [int(count) for count in re.findall(r"'\w+': (\d+)", ended.stdout)]
        done += sum(counts)
        failures += len(broken)
        for line in broken:
            print(f"seed {name}  {line}", flush=True)
        if not counts:  # another process would end in the same way
            break
    print(f"{done} changed files, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
