"""A training that is killed at a random moment: resumed, it leads to the same bits, and nothing is left behind.

python tests/torture/kills.py [SEED] [SECONDS]
"""

from __future__ import annotations

import signal
import sys

from saving_training import run_signals


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Kill trainings until the time is over, and return how many broke the promise."""
    return run_signals([signal.SIGKILL], "kills", seed, budget_seconds)


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    sys.exit(run(int(given[0]) if given else 0, given[1] if given[1:] else 600.0) > 0)
