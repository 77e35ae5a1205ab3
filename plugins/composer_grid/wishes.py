"""What a player may ask of a melody, and the automaton of the melodies that have all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from composer.api import Constraint, Given, Mask, OptionError, Score, Unsatisfiable
from composer.formats.bars import wished_meter
from composer.formats.curves import Budget, parse_curve
from composer.formats.keeping import parse_kept, spans
from composer.formats.scales import Range, Scale, parse_range, parse_scale, pitch_name, pitches_of
from composer_grid.rule import FIRST, HOLD, REST, Canonical
from composer_grid.timed import Kept, Timed

MOST_BARS = 1000


@dataclass(frozen=True, slots=True)
class GridWishes:
    """What a player may ask for."""

    range: str = field(default="", metadata={"help": "The lowest and highest pitch, such as 60-84 or C4-C6."})
    key: str = field(default="", metadata={"help": "Notes of this key only, as ABC spells it: G, Am, Ddor."})
    scale: str = field(default="", metadata={"help": "Notes of this scale only: 'D dorian', or blues and a --key."})
    bars: int = field(default=0, metadata={"help": "Exactly so many bars, filled to the end."})
    meter: str = field(default="", metadata={"help": "How long a bar is, such as 6/8; else 4/4."})
    density: str = field(default="", metadata={"help": "Notes begun a beat: 2, or 1..4 from beginning to end."})
    keep_bars: str = field(default="", metadata={"help": "Bars of the tune in --prime that stay, such as 4-8."})

    def __post_init__(self) -> None:
        if self.range:
            parse_range(self.range)
        parse_scale(self.scale, self.key)
        wished_meter(self.meter)
        if not 0 <= self.bars <= MOST_BARS:
            raise OptionError(f"--bars cannot be {self.bars}", f"give a number up to {MOST_BARS}, or 0 for any")
        if self.density and not parse_curve(self.density, "--density").highest:
            raise OptionError("a melody cannot have a density of 0", "give a number of notes a beat, such as 0.5")
        if self.keep_bars:
            parse_kept(self.keep_bars)


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
    total = total_of(wishes, per_beat, tune)
    if total is not None and given.length is not None and given.length <= total:
        wished = f"--bars {wishes.bars}" if tune is None else f"--keep-bars {wishes.keep_bars}"
        raise Unsatisfiable(
            f"{wished} and --length {given.length} clash: the piece takes {total} steps and its end",
            f"leave out --length, or ask for {total + 1}",
        )
    if total is None and not wishes.density:
        return Canonical(FIRST + len(pitches), mask)
    kept = _kept(wishes, per_beat, tune) if tune is not None else {}
    _check_held(wishes, kept, pitches, mask, (within, scale))
    rule = Timed(mask, total, _budget(wishes, per_beat, most_steps if total is None else total, kept), kept)
    if not rule.possible:
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and --density {wishes.density} clash: what is held into the bars that stay"
            " takes more or fewer notes",
            "leave out --density, or keep other bars",
        )
    return rule


def total_of(wishes: GridWishes, per_beat: Fraction, tune: Tune | None) -> int | None:
    """How many steps a piece has, where that is settled. Raises Unsatisfiable."""
    if tune is not None:
        if wishes.bars:
            raise Unsatisfiable(
                f"--keep-bars {wishes.keep_bars} and --bars {wishes.bars} clash: a tune of which bars stay has as many"
                " bars as before",
                "leave out --bars",
            )
        return len(tune.steps)
    bar = wished_meter(wishes.meter).bar * per_beat
    if wishes.bars and bar.denominator > 1:
        raise Unsatisfiable(
            f"--bars {wishes.bars} and --meter {wishes.meter or '4/4'} clash: the bars of this meter are not whole"
            f" steps of the model, of which {per_beat} are a beat",
            "ask for another meter",
        )
    return int(wishes.bars * bar) or None


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
    stretches: list[tuple[int, int]] = []
    for step in sorted(kept):
        first = stretches.pop()[0] if stretches and stretches[-1][1] == step else step
        stretches.append((first, step + 1))
    return Budget(density, per_beat, length, stretches)


def _kept(wishes: GridWishes, per_beat: Fraction, tune: Tune) -> dict[int, Kept]:
    """The steps that are given, with what sounds in them."""
    sounding, steps = 0, []
    for symbol in tune.steps:
        sounding = 0 if symbol == REST else sounding if symbol == HOLD else symbol
        steps.append(Kept(symbol, sounding))
    stay = spans(parse_kept(wishes.keep_bars), tune.score)
    kept = {step for start, end in stay for step in range(floor(start * per_beat), ceil(end * per_beat))}
    return {step: given for step, given in enumerate(steps) if step in kept}


def _check_held(
    wishes: GridWishes,
    kept: dict[int, Kept],
    pitches: tuple[int, ...],
    mask: Mask,
    wished: tuple[Range | None, Scale | None],
) -> None:
    """Raise Unsatisfiable where a note that is held into a bar that stays is not to be struck before it."""
    within, _ = wished
    for step, given in kept.items():
        if step - 1 in kept or given.symbol != HOLD or not given.sounding or mask >> given.sounding & 1:
            continue
        pitch = pitches[given.sounding - FIRST]
        other = f"--range {wishes.range}" if within is not None and pitch not in within else _scale_flag(wishes)
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and {other} clash: a {pitch_name(pitch)} is held into the bars that stay",
            "keep the bar before them too, or leave out one of the two",
        )


def _scale_flag(wishes: GridWishes) -> str:
    return f"--scale {wishes.scale}" if wishes.scale else f"--key {wishes.key}"
