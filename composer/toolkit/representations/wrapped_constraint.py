"""A constraint around another one, which keeps a state of its own beside that of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from composer.api import Constraint, FrameRule, Mask
from composer.api.sequence import AnyStep

__all__ = ["COUNT_BITS", "CountingGuard", "FrameGuard", "WrappedConstraint"]

COUNT_BITS = 32
"""Bits for the number of frames in the own part of a state of a CountingGuard."""


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


class FrameGuard(WrappedConstraint):
    """The pieces of `inner`, which are frames; a subclass weighs these, or narrows the rules for them."""

    def allowed(self, state: int) -> FrameRule:
        rule = super().allowed(state)
        assert isinstance(rule, FrameRule)
        return rule


class CountingGuard(FrameGuard):
    """A guard that counts frames.

    The own part of a state is the number of frames, in its lowest COUNT_BITS bits, below what `remember` keeps of the
    frames. A subclass that remembers anything has more `own_bits`.
    """

    own_bits = COUNT_BITS

    def remember(self, memory: int, frame: Sequence[int]) -> int:
        """Return what to keep of the frames up to `frame`, given the `memory` of those before it."""
        return memory

    def own_step(self, own: int, step: Sequence[int]) -> int:
        count = own & (1 << COUNT_BITS) - 1
        return self.remember(own >> COUNT_BITS, step) << COUNT_BITS | count + 1

    def count_and_memory(self, state: int) -> tuple[int, int]:
        """Return the number of frames before `state`, and what is kept of them."""
        own = self.parts(state)[1]
        return own & (1 << COUNT_BITS) - 1, own >> COUNT_BITS
