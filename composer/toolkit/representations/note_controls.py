"""What may be asked of notes on a grid, and what it comes to: pitches, steps, labels, and which wishes clash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from typing import Generic, TypeVar

from composer.api import OptionError, Piece, Score, Step, Unsatisfiable
from composer.music.bar_ranges import parse_bar_ranges, spans
from composer.music.bars import parse_meter
from composer.music.scales import key_of, parse_range, parse_scale, pitch_name, pitches_of
from composer.toolkit.representations.density import parse_ramp
from composer.toolkit.representations.score_labels import meters_of, pickup_of

MAX_BARS = 1000
S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class NoteControls:
    """What may be asked of notes on a grid; an empty text and 0 stand for anything. Raises OptionError.

    A representation of which more may be asked adds it in a class that inherits these.
    """

    range: str = field(default="", metadata={"help": "The lowest and highest pitch to strike, such as 48-84 or C3-C6."})
    key: str = field(default="", metadata={"help": "Notes of this key only, as ABC spells it: G, Am, Ddor."})
    scale: str = field(default="", metadata={"help": "Notes of this scale only: 'D dorian', or blues and a --key."})
    bars: int = field(default=0, metadata={"help": "Exactly so many bars, after a pickup if there is one."})
    meter: str = field(
        default="", metadata={"help": "How long a bar is, such as 6/8; else as in the opening, else 4/4."}
    )
    density: str = field(default="", metadata={"help": "Notes begun a beat: 2, or 1..4 from beginning to end."})
    keep_bars: str = field(
        default="",
        metadata={
            "help": "Bars of the tune in --prime that stay as they are, such as 4-8, counted as they are played; a"
            " pickup stays too. A range, key or scale is for the others alone."
        },
    )

    def __post_init__(self) -> None:
        if self.range:
            parse_range(self.range)
        parse_scale(self.scale, self.key)
        parse_meter(self.meter)
        if not 0 <= self.bars <= MAX_BARS:
            raise OptionError(f"--bars cannot be {self.bars}", f"give a number up to {MAX_BARS}, or 0 for any")
        if self.density and not parse_ramp(self.density, "--density").highest:
            raise OptionError("a piece cannot have a density of 0", "give a number of notes a beat, such as 0.5")
        if self.keep_bars:
            parse_bar_ranges(self.keep_bars)

    def pitches(self, candidates: Iterable[int]) -> tuple[int, ...]:
        """Those of `candidates`, as MIDI numbers, that may be struck, ascending. Raises Unsatisfiable for none."""
        within = parse_range(self.range) if self.range else None
        return pitches_of(candidates, within, parse_scale(self.scale, self.key))

    @property
    def length_control(self) -> str:
        """The wish that says how long a piece is, as it is written."""
        return f"--keep-bars {self.keep_bars}" if self.keep_bars else f"--bars {self.bars}"


@dataclass(frozen=True)
class SourceTune(Generic[S]):
    """A tune of which bars are to be kept: its `steps`, as a model learns them, and as a score."""

    steps: tuple[S, ...]
    score: Score


def meter_labels(meter: str) -> Mapping[str, str]:
    """The label of pieces in a meter that is wished for; none where there is none."""
    if not meter:
        return {}
    found = parse_meter(meter)
    return {"meter": f"{found.numerator}/{found.denominator}"}


def key_labels(scale: str, key: str) -> Mapping[str, str]:
    """The labels of pieces in a scale or key that is wished for; none where that is no key."""
    found = key_of(scale, key)
    return {"key": found.name, "mode": found.mode} if found is not None else {}


def total_steps(
    wishes: NoteControls,
    tune_steps: int | None,
    primer_labels: Mapping[str, str],
    per_beat: Fraction,
    together: int = 1,
) -> int | None:
    """How many steps a piece takes, in whole groups of `together`; None where that is open.

    A tune of which bars stay takes the `tune_steps` steps that it had; None where there is no such tune. Else it is as
    long as its bars, which are those of the labels `primer_labels` where no meter is wished for. Raises Unsatisfiable.
    """
    if tune_steps is None:
        return _steps_of_bars(wishes.bars, wishes.meter, primer_labels, per_beat, together) or None
    if wishes.bars:
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and --bars {wishes.bars} clash: a tune of which bars stay has as many"
            " bars as before",
            "leave out --bars",
        )
    return tune_steps


def in_meter(tune: Piece, wishes: NoteControls) -> Piece:
    """`tune` in its own meter, or in the one that is wished where it has none. Raises Unsatisfiable for two meters."""
    wished, own = meter_labels(wishes.meter), tune.labels.get("meter")
    if own and own != wished.get("meter", own):
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and --meter {wishes.meter} clash: the tune is in {own}",
            "leave out --meter",
        )
    return replace(tune, labels={**tune.labels, **wished})


def kept_steps(keep_bars: str, score: Score, per_beat: Fraction) -> list[int]:
    """The steps of the bars that stay, ascending. Raises Unsatisfiable where there are no such bars."""
    stay = spans(parse_bar_ranges(keep_bars), score)
    return sorted({step for start, end in stay for step in range(floor(start * per_beat), ceil(end * per_beat))})


def ranges_of(steps: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending steps as stretches: the first of each, and the one after its last."""
    found: list[tuple[int, int]] = []
    for step in steps:
        first = found.pop()[0] if found and found[-1][1] == step else step
        found.append((first, step + 1))
    return found


def held_note_error(pitch: int, wishes: NoteControls) -> Unsatisfiable:
    """The error where `pitch` is held into the bars that stay, and a range or a scale has no such note."""
    if wishes.range and pitch not in parse_range(wishes.range):
        other = f"--range {wishes.range}"
    else:
        other = f"--scale {wishes.scale}" if wishes.scale else f"--key {wishes.key}"
    return Unsatisfiable(
        f"--keep-bars {wishes.keep_bars} and {other} clash: {pitch_name(pitch)} is held into the bars that stay",
        "keep the bar before them too, or leave out one of the two",
    )


def _steps_of_bars(bars: int, meter: str, opening: Mapping[str, str], per_beat: Fraction, together: int = 1) -> int:
    """How many steps so many bars take, in whole groups of `together`, with the pickup before them; 0 for no bars.

    The meter is the wished one, else that of the labels `opening`, which say how long a pickup is. Raises Unsatisfiable
    where they are not whole steps.
    """
    if not bars:
        return 0
    meters = () if meter else meters_of(opening)
    time, begun = meters[0] if meters else parse_meter(meter), pickup_of(opening)
    bar = time.bar * per_beat
    # a pickup that ends between two steps counts up to the first, so that no bar comes after the last
    steps = bars * bar + (floor(begun * per_beat) if begun < time.bar else 0)
    if bar.denominator > 1 or steps % together:
        other = f"the opening, in {time.numerator}/{time.denominator}," if meters else f"--meter {meter or '4/4'}"
        raise Unsatisfiable(
            f"--bars {bars} and {other} clash: they are not whole steps of the model, of which"
            f" {float(per_beat):g} are a beat",
            "ask for another meter, or more bars",
        )
    return int(steps)
