"""What a player may ask of a melody, and the automaton of the melodies that have all of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from composer.api import Constraint, GenerationContext, Mask, Unsatisfiable
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
from composer_grid.timed_constraint import GivenStep, TimedGridConstraint


class GridControls(NoteControls):
    """What a player may ask of a melody."""


def build_constraint(
    wishes: GridControls,
    pitches: tuple[int, ...],
    per_beat: Fraction,
    given: GenerationContext,
    tune: SourceTune[int] | None,
    most_steps: int,
) -> Constraint:
    """The automaton of the melodies over `pitches` (the symbols from FIRST on) that obey. Raises Unsatisfiable."""
    allowed = set(wishes.pitches(pitches))
    mask = sum(1 << FIRST + place for place, pitch in enumerate(pitches) if pitch in allowed)
    total = piece_steps(wishes, per_beat, tune, given.labels)
    if total is not None and given.length is not None and given.length <= total:
        raise Unsatisfiable(
            f"{wishes.length_control} and --length {given.length} clash: the piece takes {total} steps and its end",
            f"leave out --length, or ask for {total + 1}",
        )
    if total is None and not wishes.density:
        return GridConstraint(FIRST + len(pitches), mask)
    kept = _kept(wishes, per_beat, tune) if tune is not None else {}
    _check_held(wishes, kept, pitches, mask)
    rule = TimedGridConstraint(
        mask, total, _budget(wishes, per_beat, most_steps if total is None else total, kept), kept
    )
    if not rule.is_satisfiable:
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and --density {wishes.density} clash: what is held into the bars that stay"
            " takes more or fewer notes",
            "leave out --density, or keep other bars",
        )
    rule.start(given.primer)
    return rule


def piece_steps(
    wishes: GridControls, per_beat: Fraction, tune: SourceTune[int] | None, opening: Mapping[str, str]
) -> int | None:
    """How many steps a piece has that begins with a tune or an opening, where that is settled. Raises Unsatisfiable."""
    return total_steps(wishes, len(tune.steps) if tune is not None else None, opening, per_beat)


def _budget(wishes: GridControls, per_beat: Fraction, length: int, kept: dict[int, GivenStep]) -> OnsetBudget | None:
    if not wishes.density:
        return None
    density = parse_ramp(wishes.density, "--density")
    if density.highest > per_beat:
        raise Unsatisfiable(
            f"--density {wishes.density} and the model clash: it has {float(per_beat):g} steps a beat, and no more"
            " notes than these",
            f"ask for at most {float(per_beat):g}",
        )
    return OnsetBudget(density, per_beat, length, ranges_of(sorted(kept)))


def _kept(wishes: GridControls, per_beat: Fraction, tune: SourceTune[int]) -> dict[int, GivenStep]:
    """The steps that are given, with what sounds in them."""
    sounding, steps = 0, []
    for symbol in tune.steps:
        sounding = 0 if symbol == REST else sounding if symbol == HOLD else symbol
        steps.append(GivenStep(symbol, sounding))
    stay = kept_steps(wishes.keep_bars, tune.score, per_beat)
    return {step: steps[step] for step in stay if step < len(steps)}


def _check_held(wishes: GridControls, kept: dict[int, GivenStep], pitches: tuple[int, ...], mask: Mask) -> None:
    """Raise Unsatisfiable where a note that is held into a bar that stays is not to be struck before it."""
    for step, given in kept.items():
        held = given.sounding if step - 1 not in kept and given.symbol == HOLD else 0
        if held and not mask >> held & 1:
            pitch = pitches[held - FIRST]
            raise held_note_error(pitch, wishes)
