"""Measure two alternatives in turns, in pairs, so that their ratio holds while the machine's speed drifts."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Seconds of both sides (medians) and the median of the pairs' ratios, with the lowest and highest."""

    ours: float
    theirs: float
    ratio: float
    lowest: float
    highest: float

    def row(self, what: str, at_least: str = "") -> str:
        """Return a row of a Markdown table."""
        return (
            f"| {what} | {self.ours:.4f} s | {self.theirs:.4f} s | "
            f"{self.ratio:.3f} ({self.lowest:.3f} to {self.highest:.3f}) | {at_least} |"
        )


HEADER = "| work | ours | other | ratio (lowest to highest) | target |\n|---|---|---|---|---|"


def measure(ours: Callable[[], object], theirs: Callable[[], object], pairs: int = 7) -> Ratio:
    """Call both in turns, after one warm-up of each, and return their ratio."""
    ours(), theirs()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs)]
    ratios = [a / b for a, b in times]
    middle = statistics.median
    return Ratio(middle(a for a, _ in times), middle(b for _, b in times), middle(ratios), min(ratios), max(ratios))


def process(command: Sequence[str], **settings) -> Callable[[], object]:
    """Return a function that runs a process and discards its output."""
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **settings)


REST = 0.3
"""Seconds before each call: waiting threads of the other side spin for a while, on a core that is needed."""


def _seconds(call: Callable[[], object]) -> float:
    time.sleep(REST)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
