"""A constraint around another one, which keeps a state of its own beside that of the other."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint, FrameRule, Mask
from composer.api.sequence import AnyStep

__all__ = ["WrappedConstraint"]


class WrappedConstraint(Constraint):
    """The pieces of `inner`; a subclass overrides what differs, always with `start` and `step`.

    A state is one of `inner` above the subclass's own part, a number of `own_bits` bits.
    """

    own_bits: int

    def __init__(self, inner: Constraint) -> None:
        self.inner = inner

    def parts(self, state: int) -> tuple[int, int]:
        """Return the state of `inner` and the own part."""
        return state >> self.own_bits, state & (1 << self.own_bits) - 1

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
