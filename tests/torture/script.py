"""The command line of the scripts in this folder: SCRIPT [SEED] [SECONDS] [KIND]."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn


def start(run: Callable[..., int]) -> NoReturn:
    """Call `run` with the seed, the budget in seconds and a kind if one is given; exit with 1 if a promise was broken.

    Without a kind, `run` tries all.
    """
    seed, seconds, *kind = [*sys.argv[1:], *("0", "600")[len(sys.argv) - 1 :]]
    sys.exit(run(int(seed), float(seconds), *kind) > 0)
