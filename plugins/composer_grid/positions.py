"""Melodies that end in the last bar of their plan, with the position of each step."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from composer.api import Constraint, Mask, Unsatisfiable
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.positions import CountingConstraint, PositionCounter
from composer_grid.base_constraint import END, HOLD, GridConstraint, Position, middle_pitch


class PositionConstraint(CountingConstraint):
    """Melodies that `inner` accepts; if it is a GridConstraint, without a length, they end in the plan's last bar."""

    def __init__(self, inner: Constraint, plan: BarPlan, per_beat: Fraction, counter: PositionCounter) -> None:
        super().__init__(inner, counter)
        self.plan = plan
        planned = isinstance(inner, GridConstraint) and plan.bars is not None
        self._lengths = plan.last_steps(per_beat) if planned else None

    def start(self, primer: Sequence[int]) -> int:
        if self._lengths is not None and len(primer) >= self._lengths[-1]:
            raise Unsatisfiable(
                f"the primer has {len(primer)} steps and does not fit into {self.plan.bars} bars",
                "use more --bars, or a shorter primer",
                flags=("--bars",),
            )
        return super().start(primer)

    def allowed(self, state: int) -> Mask:
        inner, at = self.parts(state)
        mask = self.inner.allowed(inner)
        assert isinstance(mask, int)
        if self._lengths is None:
            return mask
        if at >= self._lengths[-1]:
            return 1 << END
        if at == self._lengths[-1] - 1 and inner in (Position.BEGIN, Position.SILENT):
            assert isinstance(self.inner, GridConstraint)
            return self.inner.pitches
        return mask if at in self._lengths else mask & ~(1 << END)

    def complete(self, state: int) -> Sequence[int]:
        if self._lengths is None:
            return super().complete(state)
        steps: list[int] = []
        while not (mask := self.allowed(state)) >> END & 1:
            silent = self.parts(state)[0] in (Position.BEGIN, Position.SILENT)
            steps.append(middle_pitch(mask) if silent else HOLD)
            state = self.step(state, steps[-1])
        return [*steps, END]
