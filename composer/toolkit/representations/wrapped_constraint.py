"""A constraint around another one, which keeps a state of its own beside that of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from composer.api import Constraint, FrameRule, Mask
from composer.api.sequence import AnyStep

__all__ = ["WrappedConstraint"]


class WrappedConstraint(Constraint):
    """The pieces of `inner`; a subclass overrides what differs.

    A state is one of `inner` above the subclass's own part, a number of `own_bits` bits. The own part is `own_start`
    at first, and follows `own_step`; a subclass whose own part depends on `inner` overrides `start` and `step` instead.
    """

    own_bits: int
    own_start = 0

    def __init__(self, inner: Constraint) -> None:
        self.inner = inner

    def parts(self, state: int) -> tuple[int, int]:
        """Return the state of `inner` and the own part."""
        return state >> self.own_bits, state & (1 << self.own_bits) - 1

    def own_step(self, own: int, step: Any) -> int:
        """Return the own part after `step`."""
        return own

    def start(self, primer: Sequence[Any]) -> int:
        own = self.own_start
        for step in primer:
            own = self.own_step(own, step)
        return self.inner.start(primer) << self.own_bits | own

    def step(self, state: int, step: Any) -> int:
        inner, own = self.parts(state)
        return self.inner.step(inner, step) << self.own_bits | self.own_step(own, step)

    def allowed(self, state: int) -> Mask | FrameRule:
        return self.inner.allowed(state >> self.own_bits)

    def features(self, state: int) -> tuple[int, ...]:
        return self.inner.features(state >> self.own_bits)

    def ends(self, state: int) -> bool:
        return self.inner.ends(state >> self.own_bits)

    def fixed_step(self, state: int) -> int | None:
        return self.inner.fixed_step(state >> self.own_bits)

    def log_weight(self, state: int, step: AnyStep) -> float:
        return self.inner.log_weight(state >> self.own_bits, step)

    def complete(self, state: int) -> Sequence[AnyStep]:
        return self.inner.complete(state >> self.own_bits)
