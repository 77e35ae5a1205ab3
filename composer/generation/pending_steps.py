"""Steps of a piece that were sampled but not emitted, with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Step


class PendingSteps:
    """Steps of a piece that were sampled but not emitted, with their probabilities."""

    __slots__ = ("logp", "masked_prob", "steps")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.steps: list[Step] = []
        self.logp: list[float] = []
        self.masked_prob: list[float] = []

    def add(self, step: Step, logp: float, masked_prob: float) -> None:
        self.steps.append(step)
        self.logp.append(logp)
        self.masked_prob.append(masked_prob)

    def after(self, count: int) -> tuple[Sequence[Step], Sequence[float], Sequence[float]]:
        """Return what follows the first `count` steps."""
        return self.steps[count:], self.logp[count:], self.masked_prob[count:]

    def cut(self, count: int) -> None:
        """Drop what follows the first `count` steps."""
        del self.steps[count:], self.logp[count:], self.masked_prob[count:]

    def extend(self, steps: Sequence[Step], logp: Sequence[float], masked_prob: Sequence[float]) -> None:
        self.steps += steps
        self.logp += logp
        self.masked_prob += masked_prob

    def take_all(self) -> tuple[Sequence[Step], Sequence[float], Sequence[float]]:
        taken = self.steps, self.logp, self.masked_prob
        self.clear()
        return taken
