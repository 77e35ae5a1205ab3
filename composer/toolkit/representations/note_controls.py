"""Controls on notes that grid-based representations share: pitches, length, labels and conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any, Generic, TypeVar

from composer.api import GenerationContext, OptionError, Piece, Representation, Score, Step, Unsatisfiable
from composer.api.fields import at_least_one, check_ranges, option
from composer.music.bar_ranges import parse_bar_ranges, spans
from composer.music.bars import parse_meter
from composer.music.keys import key_names, parse_key
from composer.music.scales import SCALES, key_of, parse_range, parse_scale, pitch_name, pitches_of
from composer.toolkit.representations.density import parse_ramp
from composer.toolkit.representations.score_labels import meters_of, pickup_of

__all__ = [
    "MAX_BARS",
    "METERS",
    "NoteControls",
    "SourceTune",
    "held_note_error",
    "in_meter",
    "kept_steps",
    "key_labels",
    "meter_labels",
    "ranges_of",
    "source_tune",
    "total_steps",
]

MAX_BARS = 1000
METERS = ("2/4", "3/4", "4/4", "6/8", "9/8", "12/8")
"""The usual meters, for completion; others work too."""
S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class NoteControls:
    """Controls on notes; an empty string or 0 means no restriction. Raises OptionError.

    A representation adds controls in a subclass; their ranges are checked here.
    """

    range: str = option("", "Lowest and highest pitch, such as 48-84 or C3-C6.", metavar="LOW-HIGH")
    key: str = option("", "Use only notes of this key, such as G, Am or Ddor.", choices=key_names)
    scale: str = option(
        "",
        "Use only notes of this scale, such as 'D dorian', or blues with --key D.",
        choices=[scale for scale in SCALES if " " not in scale],
    )
    bars: int = option(
        0, "Number of bars, not counting a pickup. [default: any]", metavar="N", parse=at_least_one("--bars"),
        minimum=0, maximum=MAX_BARS, hint=f"use 1 to {MAX_BARS:,}, or leave out --bars",
    )  # fmt: skip
    meter: str = option(
        "",
        "Meter, such as 6/8. [default: that of --prime, else one of the training data; 4/4 for models without "
        "-O positions=on]",
        choices=METERS,
    )
    density: str = option("", "Note density in onsets per beat; 1..4 ramps over the piece.", metavar="N")
    keep_bars: str = option(
        "",
        "Infill: keep the pickup and these bars of --prime, such as 4-8, and generate the others. Bars are "
        "counted as played. --range, --key and --scale apply only to new bars.",
        metavar="BARS",
    )

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.range:
            parse_range(self.range)
        parse_scale(self.scale, self.key)
        parse_meter(self.meter)
        if self.density and not parse_ramp(self.density, "--density").highest:
            hint = "use a number above 0, such as --density 0.5"
            raise OptionError(f"invalid value for --density: '{self.density}'", hint)
        if self.keep_bars:
            parse_bar_ranges(self.keep_bars)

    def pitches(self, candidates: Iterable[int]) -> tuple[int, ...]:
        """Return the allowed pitches among `candidates`, ascending. Raises Unsatisfiable if there is none."""
        pitch_range = parse_range(self.range) if self.range else None
        return pitches_of(candidates, pitch_range, parse_scale(self.scale, self.key))

    @property
    def kept_control(self) -> str:
        """The option that says what of the tune to infill is kept; empty if there is none."""
        return f"--keep-bars {self.keep_bars}" if self.keep_bars else ""

    @property
    def length_control(self) -> str:
        """The option that determines the length of a piece."""
        return self.kept_control or f"--bars {self.bars}"


@dataclass(frozen=True)
class SourceTune(Generic[S]):
    """The tune to infill: its `steps`, as the model sees them, and its score."""

    steps: tuple[S, ...]
    score: Score


def meter_labels(meter: str) -> Mapping[str, str]:
    """Return the label of pieces in `meter`; none if it is empty."""
    if not meter:
        return {}
    parsed = parse_meter(meter)
    return {"meter": f"{parsed.numerator}/{parsed.denominator}"}


def key_labels(scale: str, key: str) -> Mapping[str, str]:
    """Return the labels of pieces in `scale` or `key`; none if the scale is not a key."""
    parsed = key_of(scale, key)
    return {"key": parsed.name, "mode": parsed.mode} if parsed is not None else {}


def total_steps(
    controls: NoteControls, tune_steps: int | None, labels: Mapping[str, str], per_beat: Fraction, together: int = 1
) -> int | None:
    """Return the length of a piece in steps, a multiple of `together`, or None if it is open.

    An infilled tune keeps its `tune_steps`. Otherwise the length is that of the bars and a pickup: `labels`, those
    of the primer, give the pickup, and the meter if none is asked for. Raises Unsatisfiable, also for partial steps.
    """
    bars, meter = controls.bars, controls.meter
    if tune_steps is not None and bars:
        raise Unsatisfiable(
            f"{controls.kept_control} contradicts --bars {bars}: an infilled tune keeps its length",
            "leave out --bars",
            flags=("--bars", controls.kept_control.partition(" ")[0]),
        )
    if not bars:
        return tune_steps
    meters = () if meter else meters_of(labels)
    signature, pickup = meters[0] if meters else parse_meter(meter), pickup_of(labels)
    bar = signature.bar * per_beat
    # round a pickup down to whole steps, so that nothing follows the last bar
    steps = bars * bar + (floor(pickup * per_beat) if pickup < signature.bar else 0)
    if bar.denominator > 1 or steps % together:
        other = f"--prime, in {signature.numerator}/{signature.denominator}" if meters else f"--meter {meter or '4/4'}"
        raise Unsatisfiable(
            f"--bars {bars} contradicts {other}: the model has {float(per_beat):g} steps per beat, and the bars are"
            " not a whole number of steps",
            "use another --meter, or more --bars",
            flags=("--bars", other.partition(" ")[0].rstrip(",")),
        )
    return int(steps)


def in_meter(tune: Piece, controls: NoteControls) -> Piece:
    """Return `tune` with its own meter, or else that of `controls`. Raises Unsatisfiable if they differ."""
    requested, own = meter_labels(controls.meter), tune.labels.get("meter")
    if own and own != requested.get("meter", own):
        raise Unsatisfiable(
            f"{controls.kept_control} contradicts --meter {controls.meter}: the tune is in {own}",
            "leave out --meter",
            flags=("--meter", controls.kept_control.partition(" ")[0]),
        )
    return replace(tune, labels={**tune.labels, **requested})


def source_tune(
    representation: Representation[Any, Any, Any], controls: NoteControls, context: GenerationContext
) -> SourceTune[Any] | None:
    """Return the tune to infill, if `context` has one, in its meter or else that of `controls`.

    Raises Unsatisfiable if the meters differ, or the notes of its key and those of the key that is asked for. Older
    files are reproduced in spite of their key.
    """
    if context.tune is None:
        return None
    wanted, own = key_of(controls.scale, controls.key), parse_key(context.tune.labels.get("key", "?"))
    if context.rules is None and wanted is not None and own is not None and wanted.sharps != own.sharps:
        flag, value = ("--key", controls.key) if controls.key else ("--scale", controls.scale)
        raise Unsatisfiable(
            f"{flag} {value} contradicts {controls.kept_control}: the tune is in {own.name}",
            f"leave out {flag}, or use {flag} {own.name}",
            flags=(flag, controls.kept_control.partition(" ")[0]),
        )
    score = representation.score(in_meter(context.tune, controls))
    return SourceTune(tuple(representation.prime(context.tune)), score) if score is not None else None


def kept_steps(keep_bars: str, score: Score, per_beat: Fraction) -> list[int]:
    """Return the steps of the kept bars, ascending. Raises Unsatisfiable if these bars do not exist."""
    kept = spans(parse_bar_ranges(keep_bars), score)
    return sorted({step for start, end in kept for step in range(floor(start * per_beat), ceil(end * per_beat))})


def ranges_of(steps: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending steps as ranges [first, last)."""
    ranges: list[tuple[int, int]] = []
    for step in steps:
        first = ranges.pop()[0] if ranges and ranges[-1][1] == step else step
        ranges.append((first, step + 1))
    return ranges


def held_note_error(pitch: int, controls: NoteControls) -> Unsatisfiable:
    """Return the error for a `pitch` that is held into a kept bar but outside of the range or scale."""
    if controls.range and pitch not in parse_range(controls.range):
        other = f"--range {controls.range}"
    else:
        other = f"--scale {controls.scale}" if controls.scale else f"--key {controls.key}"
    return Unsatisfiable(
        f"--keep-bars {controls.keep_bars} contradicts {other}: {pitch_name(pitch)} is held into a kept bar",
        "keep the bar before it too, or leave out one of them",
        flags=("--keep-bars", other.partition(" ")[0]),
    )
