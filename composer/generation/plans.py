"""The constraint of each piece: the same for all, or by a plan that each piece draws with its seed."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, count
from typing import Any

from composer.api import Constraint, GenerationContext, Representation, Unsatisfiable

MAX_CONSTRAINTS = 16
"""Constraints that are kept for pieces with the same plan; an automaton of tunes takes some megabytes."""


class PlannedConstraints:
    """The constraint of each piece by its plan, one of `Representation.plans`, which is drawn with the piece's seed.

    Instead of a plan that cannot be followed, for instance after the primer, another one is drawn.
    """

    def __init__(
        self, representation: Representation, controls: Any, context: GenerationContext, plans: Mapping[str, int]
    ) -> None:
        self._representation, self._controls, self._context = representation, controls, context
        self._plans = tuple(plans)
        self._ends = list(accumulate(plans.values()))
        self._impossible: dict[str, Unsatisfiable] = {}
        self._constraints: OrderedDict[str, Constraint] = OrderedDict()

    def of_seed(self, seed: int) -> tuple[str, Constraint]:
        """Return the plan and constraint of the piece with this seed.

        Raises Unsatisfiable if no plan can be followed.
        """
        for attempt in count():
            plan = self._draw(seed, attempt)
            if plan not in self._impossible:
                try:
                    return plan, self._constraint(plan)
                except Unsatisfiable as error:
                    self._impossible[plan] = error
            if len(self._impossible) == len(self._plans):
                break
        raise self._impossible[self._draw(seed, 0)]

    def labels(self, plan: str) -> Mapping[str, str]:
        """Return the labels of pieces with a plan."""
        return self._representation.plan_labels(plan)

    def _draw(self, seed: int, attempt: int) -> str:
        """Return the plan that this seed draws at an attempt, which does not depend on other seeds."""
        digest = hashlib.blake2b(f"plan {seed} {attempt}".encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "little") % self._ends[-1]
        return self._plans[bisect_right(self._ends, number)]

    def _constraint(self, plan: str) -> Constraint:
        """Return the constraint of a plan that accepts the primer. Raises Unsatisfiable."""
        found = self._constraints.pop(plan, None)
        if found is None:
            context = replace(self._context, plan=plan)
            found = self._representation.constraint(self._controls, context)
            if found is None:
                raise Unsatisfiable(f"`{self._representation.name}` has plans, but no constraint")
            found.start(self._context.primer)
        self._constraints[plan] = found
        if len(self._constraints) > MAX_CONSTRAINTS:
            self._constraints.popitem(last=False)
        return found


def constraint_of(
    representation: Representation, controls: Any, context: GenerationContext
) -> Constraint | PlannedConstraints | None:
    """Return what generated pieces are constrained by. Raises Unsatisfiable."""
    plans = representation.plans(controls, context) if context.plan is None else {}
    if not plans:
        return representation.constraint(controls, context)
    return PlannedConstraints(representation, controls, context, plans)
