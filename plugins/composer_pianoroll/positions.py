"""Rolls that end in the last bar of a plan, with the position of each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import Constraint, Unsatisfiable
from composer.toolkit.representations.bar_plan import BarPlan, fitting_plans
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


class Wanted(NamedTuple):
    """What is known of a piece before its plan is drawn: its meter, pickup and number of bars.

    `has_meter` and `has_pickup` tell whether the first two are given. Pieces have between `shortest` and `longest`
    frames.
    """

    form: BarPlan
    has_meter: bool
    has_pickup: bool
    shortest: int
    longest: int

    def choose(self, plans: Mapping[str, int], per_beat: Fraction) -> Mapping[str, int]:
        """Return those of `plans` that fit, with their weights; if there is none, one that is made up."""
        frames = range(self.shortest, self.longest + 1)
        if self.form.bars is not None:
            same = {plan: weight for plan, weight in plans.items() if self._accepts(BarPlan.parse(plan))}
            found = fitting_plans(same, self.form, frames, per_beat)
            return found or {str(self.form): 1}
        alike = self._accepts if self.has_meter else None
        found = fitting_plans(plans, self.form, frames, per_beat, alike=alike)
        return found or {str(self.form.with_length_of(max(self.shortest, self.longest), per_beat)): 1}

    def _accepts(self, plan: BarPlan) -> bool:
        same_pickup = not self.has_pickup or plan.pickup == self.form.pickup
        return plan.meter == self.form.meter and same_pickup and self.form.bars in (None, plan.bars)
