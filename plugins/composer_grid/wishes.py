"""What a player may ask of a melody, and the automaton of the melodies that have all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from composer.api import Constraint, Given, Mask, Score, Unsatisfiable
from composer.formats.curves import Budget, parse_curve
from composer.formats.scales import parse_range, parse_scale, pitches_of
from composer.formats.wishing import HELP, check, clash_of_held, kept_steps, steps_of_bars, stretches
from composer_grid.rule import FIRST, HOLD, REST, Canonical
from composer_grid.timed import Kept, Timed


@dataclass(frozen=True, slots=True)
class GridWishes:
    """What a player may ask for."""

    range: str = field(default="", metadata={"help": HELP["range"]})
    key: str = field(default="", metadata={"help": HELP["key"]})
    scale: str = field(default="", metadata={"help": HELP["scale"]})
    bars: int = field(default=0, metadata={"help": HELP["bars"]})
    meter: str = field(default="", metadata={"help": HELP["meter"]})
    density: str = field(default="", metadata={"help": HELP["density"]})
    keep_bars: str = field(default="", metadata={"help": HELP["keep_bars"]})

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Tune:
    """A tune of which bars are to be kept: its `steps`, as ids of symbols, and as a score."""

    steps: tuple[int, ...]
    score: Score


def automaton(
    wishes: GridWishes, pitches: tuple[int, ...], per_beat: Fraction, given: Given, tune: Tune | None, most_steps: int
) -> Constraint:
    """The automaton of the melodies over `pitches` (the symbols from FIRST on) that obey. Raises Unsatisfiable."""
    within = parse_range(wishes.range) if wishes.range else None
    scale = parse_scale(wishes.scale, wishes.key)
    allowed = set(pitches_of(pitches, within, scale))
    mask = sum(1 << FIRST + place for place, pitch in enumerate(pitches) if pitch in allowed)
    total = total_of(wishes, per_beat, tune, given.labels)
    if total is not None and given.length is not None and given.length <= total:
        wished = f"--bars {wishes.bars}" if tune is None else f"--keep-bars {wishes.keep_bars}"
        raise Unsatisfiable(
            f"{wished} and --length {given.length} clash: the piece takes {total} steps and its end",
            f"leave out --length, or ask for {total + 1}",
        )
    if total is None and not wishes.density:
        return Canonical(FIRST + len(pitches), mask)
    kept = _kept(wishes, per_beat, tune) if tune is not None else {}
    _check_held(wishes, kept, pitches, mask)
    rule = Timed(mask, total, _budget(wishes, per_beat, most_steps if total is None else total, kept), kept)
    if not rule.possible:
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and --density {wishes.density} clash: what is held into the bars that stay"
            " takes more or fewer notes",
            "leave out --density, or keep other bars",
        )
    rule.start(given.primer)
    return rule


def total_of(wishes: GridWishes, per_beat: Fraction, tune: Tune | None, opening: Mapping[str, str]) -> int | None:
    """How many steps a piece has that begins with a tune or an opening, where that is settled. Raises Unsatisfiable."""
    if tune is not None:
        if wishes.bars:
            raise Unsatisfiable(
                f"--keep-bars {wishes.keep_bars} and --bars {wishes.bars} clash: a tune of which bars stay has as many"
                " bars as before",
                "leave out --bars",
            )
        return len(tune.steps)
    return steps_of_bars(wishes.bars, wishes.meter, opening, per_beat) or None


def _budget(wishes: GridWishes, per_beat: Fraction, length: int, kept: dict[int, Kept]) -> Budget | None:
    if not wishes.density:
        return None
    density = parse_curve(wishes.density, "--density")
    if density.highest > per_beat:
        raise Unsatisfiable(
            f"--density {wishes.density} and the model clash: it has {float(per_beat):g} steps a beat, and no more"
            " notes than these",
            f"ask for at most {float(per_beat):g}",
        )
    return Budget(density, per_beat, length, stretches(sorted(kept)))


def _kept(wishes: GridWishes, per_beat: Fraction, tune: Tune) -> dict[int, Kept]:
    """The steps that are given, with what sounds in them."""
    sounding, steps = 0, []
    for symbol in tune.steps:
        sounding = 0 if symbol == REST else sounding if symbol == HOLD else symbol
        steps.append(Kept(symbol, sounding))
    stay = kept_steps(wishes.keep_bars, tune.score, per_beat)
    return {step: steps[step] for step in stay if step < len(steps)}


def _check_held(wishes: GridWishes, kept: dict[int, Kept], pitches: tuple[int, ...], mask: Mask) -> None:
    """Raise Unsatisfiable where a note that is held into a bar that stays is not to be struck before it."""
    for step, given in kept.items():
        held = given.sounding if step - 1 not in kept and given.symbol == HOLD else 0
        if held and not mask >> held & 1:
            pitch = pitches[held - FIRST]
            raise clash_of_held(pitch, wishes.keep_bars, wishes.range, wishes.scale, wishes.key)
