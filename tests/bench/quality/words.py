"""Figures in words, for the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev

from .intervals import Figure
from .results import Measured, Results, scale_of
from .stages import Stage
from .store import CUT, Trained

NOT_YET = "not run yet"
DIGITS = 3


def figure_text(measured: Measured, bounds: Sequence[float] = (), published: str = "") -> str:
    """The figure, the error of its estimate, and its seeds; also in the unit of `published` where that is another."""
    figure = measured.figure
    digits = digits_for(figure.mean, bounds)
    text = f"{figure.mean:.{digits}f}"
    if figure.estimated:
        text += f" ± {math.ceil(figure.estimated * 1000) / 1000:.3f} (AIS)"
    text += f" {measured.unit}"
    if unit := _other_unit(measured.unit, published):
        text += f" ({figure.mean * scale_of(measured.unit, unit):.{DIGITS}f} {unit})"
    return f"{text}, {measured.pieces} pieces{seeds_text(figure)}"


def interval_text(measured: Measured) -> str:
    """The ends of the 95 % interval over test pieces; empty where it is not known."""
    ends = measured.figure.ends
    return f"{ends[0]:.{DIGITS}f} to {ends[1]:.{DIGITS}f}" if ends else ""


def seeds_text(figure: Figure) -> str:
    """How many seeds, and how far apart, to stand behind a figure; nothing of a single one."""
    return "" if figure.deviation is None else f"; {figure.seeds} seeds, deviation {figure.deviation:.3f}"


def also_rows(results: Results, stage: Stage, unit: str = "") -> Iterator[tuple[str, str, str]]:
    """Each other measure of a stage: what it is of, the figure, its interval."""
    for of, command in stage.also.items():
        found = results.measured(stage, command, unit)
        yield (of, figure_text(found), interval_text(found)) if found else (of, "not measured yet", "")


def difference_text(values: Mapping[int, float], base: Mapping[int, float]) -> str:
    """How far figures are from those of the base with the same seeds; empty where there are none of the same."""
    apart = [value - base[seed] for seed, value in values.items() if seed in base]
    if not apart:
        return ""
    deviation = f", deviation {stdev(apart):.{DIGITS}f}" if len(apart) > 1 else ""
    return f"{fmean(apart):+.{DIGITS}f}{deviation}"


def digits_for(value: float, bounds: Sequence[float]) -> int:
    """As many digits as it takes not to look as low as a bound that is not reached; three where that does."""
    for digits in range(DIGITS, 9):
        if not any(value > bound >= float(f"{value:.{digits}f}") for bound in bounds):
            return digits
    return 9


def trained_text(results: Results, stage: Stage) -> str:
    """How many steps and seconds each training of a stage took, and what ended it."""
    found = results.trained(stage)
    if not found:
        return NOT_YET
    every = [learnt_text(trained) for trained in found.values()]
    if len(set(every)) > 1:
        return "; ".join(f"seed {seed}: {text}" for seed, text in zip(found, every, strict=True))
    return every[0]


def learnt_text(trained: Sequence[Trained]) -> str:
    """The same of one seed, whose trainings these are."""
    steps = " + ".join(f"{each.steps:,}" for each in trained)
    text = f"{steps} steps, {sum(each.seconds for each in trained):.0f} s"
    if trained[-1].best_step:
        text += f"; best after {trained[-1].best_step:,}"
    return text + ("; cut short by its time" if any(each.reason == CUT for each in trained) else "")


def missing_text(results: Results, stage: Stage) -> str:
    """Why there is no figure of a stage."""
    failed = results.store.failed(stage.name)
    if failed:
        return f"failed: {failed}".replace("|", "/")
    return "not measured yet" if results.trained(stage) else NOT_YET


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table in Markdown."""
    return [_row(heads), "|---" * len(heads) + "|", *(_row(row) for row in rows), ""]


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _other_unit(unit: str, published: str) -> str:
    """Nats or bits, where a published figure is told in that alone or before the other, and `unit` is of the other."""
    told = next((word for word in published.replace("(", " ").split() if word in {"nats", "bits"}), "")
    return "" if not told or unit.startswith(told) else told
