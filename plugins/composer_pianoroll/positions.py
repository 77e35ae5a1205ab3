"""Rolls that end in the last bar of a plan, with the position of each frame."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint, Unsatisfiable
from composer.toolkit.representations.positions import CountingConstraint, PositionCounter


class PlannedConstraint(CountingConstraint):
    """Rolls that `inner` accepts, of exactly `length` frames."""

    def __init__(self, inner: Constraint, counter: PositionCounter, length: int) -> None:
        super().__init__(inner, counter)
        self.length = length

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        if len(primer) >= self.length:
            raise Unsatisfiable(
                f"the primer has {len(primer)} frames and does not fit into the {self.length} frames of the piece",
                "use more --bars, or a shorter primer",
            )
        return super().start(primer)

    def ends(self, state: int) -> bool:
        return self.parts(state)[1] >= self.length
