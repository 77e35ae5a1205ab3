"""How fast training goes, and how long it has gone on."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from composer.training.trainer import Progress

LOSSES_PER_SYNC = 10
"""How many steps are reported together where asking for a loss makes the device wait."""
SAVE_TIME_RATIO = 20
"""How many times as long as saving takes is to lie between two savings."""


class LossMeter:
    """The mean loss since it was last read, and the rate over the last steps."""

    def __init__(self, device: str) -> None:
        self._capacity = 1 if device == "cpu" else LOSSES_PER_SYNC
        self._losses: list[torch.Tensor] = []
        self.restart_rate()

    def restart_rate(self) -> None:
        """Forget the rate: what came between was no training."""
        self._marks: deque[tuple[float, float]] = deque([(time.perf_counter(), 0.0)], maxlen=50)

    def add(self, loss: torch.Tensor, counted: float) -> None:
        """One more step: its loss, and how many steps of the sequence counted."""
        self._losses.append(loss)
        self._marks.append((time.perf_counter(), self._marks[-1][1] + counted))

    @property
    def full(self) -> bool:
        """Whether it is time to read."""
        return len(self._losses) >= self._capacity

    def read(self) -> tuple[float, float]:
        """Mean loss (nats a step) and rate (steps of the sequence a second)."""
        import torch

        mean = float(torch.stack(self._losses).mean())
        self._losses = []
        (begin, before), (end, after) = self._marks[0], self._marks[-1]
        return mean, (after - before) / max(end - begin, 1e-9)


class SaveTimer:
    """Adds the time that passes to the progress, and says when it is time to save."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last = self._saved = time.perf_counter()
        self._cost = 0.0

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = time.perf_counter()
        self._progress.seconds += now - self._last
        self._last = now

    def due(self, seconds: float, kept: bool = False) -> bool:
        """Whether this many seconds have passed since it was last due; fewer will do where a model was just `kept`.

        For the state is to be no older than that, as long as saving takes but a small share of the time.
        """
        least = min(seconds, SAVE_TIME_RATIO * self._cost) if kept else seconds
        if self._last - self._saved < least:
            return False
        self._saved = self._last
        return True

    def saved(self) -> None:
        """Take notice that saving, which began at the last tick, is done."""
        self._cost = time.perf_counter() - self._last
