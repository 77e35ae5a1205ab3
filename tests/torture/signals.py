"""A training that gets a signal at a random moment, while starting too: no traceback, its exit code, and it resumes.

python tests/torture/signals.py [SEED] [SECONDS]
"""

from __future__ import annotations

import signal
import sys

from saving_training import run_signals


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Send signals to trainings until the time is over, and return how many broke the promise."""
    return run_signals([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], "signals", seed, budget_seconds)


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    sys.exit(run(int(given[0]) if given else 0, given[1] if given[1:] else 600.0) > 0)
