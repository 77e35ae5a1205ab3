"""How far training has come, how fast it goes, and when to save."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LOSSES_PER_SYNC = 10
"""Updates per report on a device that has to be waited for to read a loss."""
SAVE_TIME_RATIO = 20
"""Saving again takes at least this many times the duration of the last save."""
MAX_HISTORY = 256
"""Maximum losses that are kept for the training curve."""


@dataclass(slots=True)
class Progress:
    """How far training has come: `phase_updates` updates of phase number `phase`, `update` of the run.

    `best` is the best validation value (nats per step), `reported` the same in the reported unit. `seconds` is the
    training time. At most `max_rows` rows of a batch go through the network at a time to save memory; 0 is no limit.
    `history` has the update, the training loss and the validation loss of validations of this phase, in the reported
    unit, None for an unknown one.
    """

    phase: int = 0
    phase_updates: int = 0
    update: int = 0
    best: float | None = None
    best_update: int = 0
    reported: float | None = None
    validations_since_best: int = 0
    seconds: float = 0.0
    max_rows: int = 0
    history: list[tuple[int, float | None, float | None]] = field(default_factory=list)

    def next_phase(self) -> None:
        """Go to the next phase, whose validation values cannot be compared with those before."""
        self.phase, self.phase_updates = self.phase + 1, 0
        self.validations_since_best, self.best, self.reported = 0, None, None
        self.history = []

    def add_losses(self, train: float | None, valid: float | None) -> None:
        """Add losses of this update to the history; beyond MAX_HISTORY, drop the one whose neighbors are closest."""
        history = self.history
        history.append((self.update, train, valid))
        if len(history) > MAX_HISTORY:
            del history[min(range(1, len(history) - 1), key=lambda at: history[at + 1][0] - history[at - 1][0])]


class LossMeter:
    """The mean loss since it was last read, and the rate over the last updates."""

    def __init__(self, device: str) -> None:
        self._capacity = 1 if device == "cpu" else LOSSES_PER_SYNC
        self._losses: list[torch.Tensor] = []
        self.restart_rate()

    def restart_rate(self) -> None:
        """Measure the rate from now on, leaving out the time of a validation."""
        self._marks: deque[tuple[float, float]] = deque([(time.perf_counter(), 0.0)], maxlen=50)

    def add(self, loss: torch.Tensor, counted: float) -> None:
        """Add the loss of one update over `counted` steps of the sequences."""
        self._losses.append(loss)
        self._marks.append((time.perf_counter(), self._marks[-1][1] + counted))

    @property
    def full(self) -> bool:
        """Whether it is time to read."""
        return len(self._losses) >= self._capacity

    def read(self) -> tuple[float, float]:
        """Return the mean loss (nats per step) and the rate (steps per second)."""
        import torch

        mean = float(torch.stack(self._losses).mean())
        self._losses = []
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        return mean, (after - before) / max(end - start, 1e-9)


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

    def due(self, seconds: float, saved_model: bool = False) -> bool:
        """Return whether this many seconds have passed since it was last due, or fewer if a model was just saved.

        The state should not be older than the model, as long as saving takes a small share of the time.
        """
        wait = min(seconds, SAVE_TIME_RATIO * self._cost) if saved_model else seconds
        if self._last - self._saved < wait:
            return False
        self._saved = self._last
        return True

    def saved(self) -> None:
        """Note that the save that started at the last tick is done."""
        self._cost = time.perf_counter() - self._last
