"""Primers that are complete pieces: nothing follows them, so that all pieces would be the same."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint, Representation, Step, UsageError
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.options import GenOptions
from composer.cli.gen.particles import keeping_flags
from composer.generation.plans import PlannedConstraints
from composer.generation.request import GenerationRequest

MAX_CHECKED = 100
"""Pieces whose plans are looked at, as any of them may be longer than the primer."""


def check_primer(
    options: GenOptions,
    model: LoadedModel,
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints | None,
) -> None:
    """Check that pieces can begin with the primer and, if there are several, that they can differ.

    Raises Unsatisfiable, UsageError.
    """
    if isinstance(constraint, PlannedConstraints):
        constraint.of_seed(request.seed)
    elif constraint is not None:
        constraint.start(request.primer)  # an invalid primer is reported first
    several = _several(options)
    if constraint is None or not (several and request.primer) or options.context is not None:
        return
    if isinstance(constraint, PlannedConstraints):
        seeds = range(request.seed, request.seed + min(request.count, MAX_CHECKED))
        constraints = dict(map(constraint.of_seed, seeds))
    else:
        constraints = {"": constraint}
    if all(_is_complete(each, request.primer, model.spec.end) for each in constraints.values()):
        raise UsageError(
            f"the primer is a complete piece, so all pieces of {several} would be the same",
            how_to_continue(model.representation, request.primer),
        )


def how_to_continue(representation: Representation, primer: Sequence[Step]) -> str:
    """Return a hint for a primer that nothing was added to."""
    option = representation.longer(primer)
    ways = [f"{option} to continue it"] if option else []
    if "--keep-bars" in keeping_flags(type(representation)):
        ways.append("--keep-bars 1 to keep its first bar and vary the others")
    return f"use {', or '.join(ways)}" if ways else "try another --seed"


def _several(options: GenOptions) -> str:
    """Return the option that asks for several pieces; empty if none does."""
    if options.choose is not None:
        return f"--choose {options.choose}"
    if options.selection.chosen:
        return f"--candidates {options.generated}"
    return f"--count {options.count}" if options.count > 1 else ""


def _is_complete(constraint: Constraint, primer: Sequence[Step], end: int | None) -> bool:
    """Return whether only one piece begins with the primer."""
    if end is None:
        return False
    state = constraint.start(primer)
    for step in constraint.complete(state):
        if constraint.allowed(state) != 1 << step:
            return False
        state = constraint.step(state, step) if step != end else state
    return True
