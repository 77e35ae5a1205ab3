"""Controls of the grid representation, and the constraint that enforces them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from composer.api import Constraint, GenerationContext, Unsatisfiable
from composer.api.fields import option
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.note_controls import (
    NoteControls,
    SourceTune,
    held_note_error,
    kept_steps,
    ranges_of,
    total_steps,
)
from composer_grid.base_constraint import FIRST, HOLD, REST, GridConstraint
from composer_grid.timed_constraint import FixedStep, TimedGridConstraint


@dataclass(frozen=True)
class GridControls(NoteControls):
    """Controls on a melody."""

    repeat_limit: int | None = option(
        None,
        "Maximum number of times in a row that a passage of 1 to 8 bars may occur. [default: 2]",
        metavar="N", minimum=1, maximum=1000, hint="use 1 to 1,000; traditional tunes have 2", recorded_range=False,
    )  # fmt: skip
    is_recorded: bool = field(default=False, compare=False, metadata={"internal": True, "recorded": False})
    """Whether a recipe gives these controls: older versions took any `repeat_limit`, such as 0 or 1001."""


def build_constraint(
    controls: GridControls,
    pitches: tuple[int, ...],
    per_beat: Fraction,
    context: GenerationContext,
    tune: SourceTune[int] | None,
    max_steps: int,
) -> Constraint:
    """Return the constraint for melodies over `pitches` (the symbols from FIRST on). Raises Unsatisfiable."""
    allowed = set(controls.pitches(pitches))
    mask = sum(1 << FIRST + number for number, pitch in enumerate(pitches) if pitch in allowed)
    total = piece_steps(controls, per_beat, tune, context.labels)
    if total is not None and context.length is not None and context.length <= total:
        raise Unsatisfiable(
            f"--length {context.length} is too short for {controls.length_control}, which needs {total + 1} steps",
            f"leave out --length, or use --length {total + 1}",
            flags=("--length", controls.length_control.partition(" ")[0]),
        )
    if total is None and not controls.density:
        return GridConstraint(FIRST + len(pitches), mask)
    fixed_steps = _fixed_steps(controls, per_beat, tune) if tune is not None else {}
    for step, fixed in fixed_steps.items():  # a note that is held into a kept bar must be able to start before it
        held = fixed.sounding if step - 1 not in fixed_steps and fixed.symbol == HOLD else 0
        if held and not mask >> held & 1:
            raise held_note_error(pitches[held - FIRST], controls)
    budget = _budget(controls, per_beat, max_steps if total is None else total, fixed_steps)
    constraint = TimedGridConstraint(mask, total, budget, fixed_steps)
    if not constraint.is_satisfiable:
        raise Unsatisfiable(
            f"--keep-bars {controls.keep_bars} contradicts --density {controls.density}: notes held into the kept bars"
            " do not fit this density",
            "leave out --density, or keep other bars",
            flags=("--keep-bars", "--density"),
        )
    constraint.start(context.primer)
    return constraint


def piece_steps(
    controls: GridControls, per_beat: Fraction, tune: SourceTune[int] | None, labels: Mapping[str, str]
) -> int | None:
    """Return the length of a piece in steps, or None if it is open. Raises Unsatisfiable."""
    return total_steps(controls, len(tune.steps) if tune is not None else None, labels, per_beat)


def _budget(controls: GridControls, per_beat: Fraction, length: int, fixed: Iterable[int]) -> OnsetBudget | None:
    if not controls.density:
        return None
    density = parse_ramp(controls.density, "--density")
    if density.highest > per_beat:
        raise Unsatisfiable(
            f"--density {controls.density} is too high: the model has {float(per_beat):g} steps per beat",
            f"use --density {float(per_beat):g} or less",
            flags=("--density",),
        )
    return OnsetBudget(density, per_beat, length, ranges_of(sorted(fixed)))


def _fixed_steps(controls: GridControls, per_beat: Fraction, tune: SourceTune[int]) -> dict[int, FixedStep]:
    """Return the fixed steps of the kept bars, with the pitch that sounds in them."""
    sounding, steps = 0, []
    for symbol in tune.steps:
        sounding = 0 if symbol == REST else sounding if symbol == HOLD else symbol
        steps.append(FixedStep(symbol, sounding))
    kept = kept_steps(controls.keep_bars, tune.score, per_beat)
    return {step: steps[step] for step in kept if step < len(steps)}
