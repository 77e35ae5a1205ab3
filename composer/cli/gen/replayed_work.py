"""Limit on how much a file may let `composer replay` generate."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import ReadError, Step, StepKind
from composer.api.limits import limit_hint, raised
from composer.cli.gen.particles import KEEPING
from composer.cli.gen.plan import Plan
from composer.generation.request import MAX_ATTEMPTS, MAX_AUTO_BATCH_SIZE, AcceptPiece

MAX_STEPS = 2_500_000
"""Limit on the tokens in all rows that a small file may ask for; about 10,000 are generated in a second."""
MAX_ROWS = max(MAX_AUTO_BATCH_SIZE, *KEEPING.values())
"""Rows or particles that a file of any size may ask for: the most that `gen` chooses by itself."""
TOKENS_PER_FRAME, GIBBS_PER_FRAME = 8, 25
"""A frame takes as long as so many tokens, whether drawn unit by unit or in so many Gibbs steps."""


class WorkLimit:
    """Counts the steps of all rows that the file `name` of `size` bytes asks for, and refuses too many.

    Rejected attempts at a piece (--max-copy) count when they are rejected: most pieces need none, and a few a hundred.
    """

    def __init__(self, name: str, size: int) -> None:
        self.name, self.steps = name, 0
        self.allowed = max(MAX_STEPS, MAX_ROWS * size)

    def add(self, steps: int) -> None:
        """Count the steps of a run. Raises ReadError if there are too many now."""
        self.steps += steps
        if self.steps > raised(self.allowed):
            hint = limit_hint("check where the file is from", self.steps, self.allowed)
            fault = f"asks for up to {self.steps:,} steps, more than {raised(self.allowed):,}"
            raise ReadError(f"{self.name} {fault}", hint)

    def counting_rejected(self, plan: Plan) -> AcceptPiece | None:
        """Return what accepts the pieces of a run, and counts the steps of those that are generated again.

        An attempt takes a row of the batch, and its share of the rows for which no piece is left.
        """
        accept, rows, per_step = plan.accept, plan.request.batch_size, cost_of_step(plan)
        if accept is None:
            return None
        accepted = rejected = 0

        def accept_and_count(steps: Sequence[Step]) -> bool:
            nonlocal accepted, rejected
            if accept(steps):
                accepted += 1
                return True
            rejected += 1
            unfinished = max(plan.share - accepted - rejected // MAX_ATTEMPTS, 1)
            self.add(len(steps) * per_step * rows // min(rows, unfinished))
            return False

        return accept_and_count


def count_steps(plan: Plan) -> int:
    """Return how many tokens, or as much work in frames, all rows of a run may take if no piece is rejected."""
    request = plan.request
    # pieces with particles are generated one after the other, whatever the batch size
    rows = plan.share * request.particles if request.particles > 1 else max(plan.share, request.batch_size)
    return rows * request.length * cost_of_step(plan)


def cost_of_step(plan: Plan) -> int:
    """Return as how many tokens a step of one row counts."""
    if plan.model.spec.kind is StepKind.TOKENS:
        return 1
    return TOKENS_PER_FRAME * max(plan.options.gibbs or 1, GIBBS_PER_FRAME) // GIBBS_PER_FRAME
