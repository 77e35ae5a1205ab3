"""When descent goes astray: its losses are no numbers any more, or worse by far than guessing would be."""

from __future__ import annotations

import math

from composer.api import ComposerError, SequenceSpec, StepKind

MAX_NATS_RATIO = 10.0
"""How many times the cost of guessing is no lesson any more. A model that knows its pieces by heart and no others may
cost more than guessing on those held back, but not on its own, so both are asked."""


class Diverged(ComposerError):
    """Training led nowhere: the weights are worthless, and are not kept."""

    def __init__(self, update: int, reason: str) -> None:
        super().__init__(
            f"the training diverged at step {update:,}: {reason}", "train with a lower --lr, or a smaller --set clip"
        )


def uniform_nll(spec: SequenceSpec) -> float:
    """Nats a step of a model that takes every token for as likely as any other, or every unit for on or off."""
    return math.log(spec.size) if spec.kind is StepKind.TOKENS else spec.size * math.log(2)


def check_finite(monitor: float, update: int) -> None:
    """Raise Diverged where the loss is no number any more."""
    if not math.isfinite(monitor):
        raise Diverged(update, f"the loss is {monitor}")


def check_better_than_guessing(spec: SequenceSpec, update: int, *nats: float) -> None:
    """Raise Diverged where all that was measured, in nats a step, is worse than guessing by far."""
    least = uniform_nll(spec)
    if nats and min(nats) > MAX_NATS_RATIO * least:
        raise Diverged(update, f"a step costs {min(nats):,.3g} nats, and guessing would cost {least:.3g}")
