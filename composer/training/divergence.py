"""Detect diverged training: a loss that is not finite, or far worse than a uniform guess."""

from __future__ import annotations

import math

from composer.api import ComposerError, SequenceSpec, StepKind

MAX_NATS_RATIO = 10.0
"""How many times worse than a uniform guess counts as diverged. An overfitted model may be worse than guessing on held
out pieces, but not on its training data, so both losses are checked."""


class Diverged(ComposerError):
    """Training diverged; the weights are worthless and are not saved."""

    def __init__(self, update: int, reason: str) -> None:
        super().__init__(f"training diverged at update {update:,}: {reason}", "use a lower --lr or max_grad_norm")


def check_finite(loss: float, update: int) -> None:
    """Raise Diverged if the loss is infinite or nan."""
    if not math.isfinite(loss):
        raise Diverged(update, f"the loss is {loss}")


def check_better_than_guessing(spec: SequenceSpec, update: int, *nats: float) -> None:
    """Raise Diverged if all losses, in nats per step, are far worse than a uniform guess."""
    # over tokens, or over on and off for each unit of a frame
    guess = math.log(spec.size) if spec.kind is StepKind.TOKENS else spec.size * math.log(2)
    if nats and min(nats) > MAX_NATS_RATIO * guess:
        raise Diverged(update, f"the loss is {min(nats):,.3g} nats per step; a uniform guess has {guess:.3g}")
