"""Format figures for the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev

from ..measures.intervals import Figure
from ..stages import Stage
from .record import Run
from .results import Measured, Results, scale_of

NOT_YET = "not run yet"
DIGITS = 3


def figure_text(measured: Measured, bounds: Sequence[float] = (), published: str = "") -> str:
    """Return a figure with its error and seeds, also in the unit of `published` if that differs."""
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
    """Return the 95 % interval over test pieces; empty if it is unknown."""
    ends = measured.figure.ends
    return f"{ends[0]:.{DIGITS}f} to {ends[1]:.{DIGITS}f}" if ends else ""


def seeds_text(figure: Figure) -> str:
    """Return the number of seeds and their deviation; empty for a single one."""
    return "" if figure.deviation is None else f"; {figure.seeds} seeds, deviation {figure.deviation:.3f}"


def also_rows(results: Results, stage: Stage, unit: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each other measure of a stage: its name, the figure, its interval."""
    for of, command in stage.also.items():
        found = results.measured(stage, command, unit)
        yield (of, figure_text(found), interval_text(found)) if found else (of, "not measured yet", "")


def difference_text(values: Mapping[int, float], base: Mapping[int, float]) -> str:
    """Return the mean difference from the base with the same seeds; empty if there are none."""
    differences = [value - base[seed] for seed, value in values.items() if seed in base]
    if not differences:
        return ""
    deviation = f", deviation {stdev(differences):.{DIGITS}f}" if len(differences) > 1 else ""
    return f"{fmean(differences):+.{DIGITS}f}{deviation}"


def digits_for(value: float, bounds: Sequence[float]) -> int:
    """Return the number of digits, at least three, with which a figure above a bound does not look equal to it."""
    for digits in range(DIGITS, 9):
        if not any(value > bound >= float(f"{value:.{digits}f}") for bound in bounds):
            return digits
    return 9


def trained_text(results: Results, stage: Stage) -> str:
    """Return the updates and seconds of each training of a stage, and what ended it."""
    found = results.runs(stage)
    if not found:
        return NOT_YET
    every = [training_text(run) for run in found.values()]
    if len(set(every)) > 1:
        return "; ".join(f"seed {seed}: {text}" for seed, text in zip(found, every, strict=True))
    return every[0]


def training_text(run: Run) -> str:
    """Return the same for the trainings of one seed."""
    text = f"{' + '.join(f'{each:,}' for each in run.updates)} updates, {run.seconds:.0f} s"
    if run.best_update:
        text += f"; best after {run.best_update:,}"
    return text + ("; stopped by the time limit" if run.cut else "")


def missing_text(results: Results, stage: Stage) -> str:
    """Return why a stage has no figure."""
    failed = results.store.failed(stage.name)
    if failed:
        return f"failed: {failed}".replace("|", "/")
    return "not measured yet" if results.runs(stage) else NOT_YET


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return a table in Markdown."""
    return [_row(heads), "|---" * len(heads) + "|", *(_row(row) for row in rows), ""]


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _other_unit(unit: str, published: str) -> str:
    """Return `nats` or `bits` if a published figure is in that unit, at least first, and `unit` is the other."""
    first = next((word for word in published.replace("(", " ").split() if word in {"nats", "bits"}), "")
    return "" if not first or unit.startswith(first) else first
