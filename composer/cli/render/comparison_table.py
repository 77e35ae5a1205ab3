"""`composer eval --generated`: generated pieces compared with a corpus, as a table or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from composer.analysis.comparison import Comparison, MetricComparison, Summary, compare
from composer.analysis.metrics import COPYING
from composer.analysis.selection import Selection, select_pieces
from composer.api import GenerationContext
from composer.api.sampling.params import SamplingParams
from composer.checkpoints.load import load_model
from composer.checkpoints.training_melodies import training_melodies
from composer.cli.console import Console
from composer.cli.render.reading_progress import ReadingProgress, report_skipped
from composer.cli.render.text import count_noun
from composer.data import corpus
from composer.generation.plans import constraint_of
from composer.generation.request import GenerationRequest

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MAX_SIMILAR_DISTANCE = 1.0
"""Means at most this many of the corpus's standard deviations apart count as similar."""


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """Generate `count` pieces with the model at `path` and compare them with those of `files`.

    `listing` and `part` select pieces as in `select_pieces`.
    """

    representation: str
    path: Path
    files: Sequence[str]
    count: int
    seed: int = 1
    temperature: float | None = None
    listing: Path | None = None
    part: str | None = None
    device: str = "cpu"
    as_json: bool = False


def report_comparison(options: ComparisonOptions, console: Console) -> None:
    """Generate, measure and print. Raises ComposerError."""
    model = load_model(
        options.path, options.representation, options.device, "eval {} FILES... --generated 200 --checkpoint"
    )
    temperature = model.default_temperature if options.temperature is None else options.temperature
    options = replace(options, temperature=temperature)
    representation, melodies = model.representation, training_melodies(model.extra, options.path.name)
    length = representation.max_steps(representation.Controls(), GenerationContext())
    request = GenerationRequest(length, options.count, options.seed, SamplingParams(options.temperature))
    with ReadingProgress(console) as reading:
        found = corpus.read(representation, options.files, progress=reading.update)
        selection = select_pieces(model.header, representation, melodies, found.pieces, options.listing, options.part)
        rule = constraint_of(representation, representation.Controls(), GenerationContext())
        compared = compare(
            model, selection.pieces, request, rule, training_melodies=melodies, progress=reading.update_measured
        )
    found.rejected.merge(compared.rejections)
    compared = replace(compared, rejections=found.rejected)
    rejected = found.rejected
    report_skipped(console, _LeftOut(rejected.counts, rejected.places, compared.losses, found.unreadable))
    for note in selection.notes():
        console.warn(note)
    if options.as_json:
        console.write_json(_document(options, compared, selection), indent=2)
        return
    canvas = console.rich_console(console.stdout)
    with canvas.capture() as output:
        canvas.print(_table(compared.metrics))
    console.write(_title(options, compared) + "\n")
    console.write_rendered("".join(f"{line.rstrip()}\n" for line in output.get().splitlines()))
    _remarks(console, compared, request)


class _LeftOut(NamedTuple):
    """What was skipped, as `report_skipped` expects it."""

    rejected: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    losses: Mapping[str, int]
    unreadable: Sequence[str]


def _document(options: ComparisonOptions, compared: Comparison, selection: Selection) -> dict[str, Any]:
    model = {"checkpoint": options.path.stem, "representation": options.representation}
    sampling = {"seed": options.seed, "temperature": options.temperature}
    selected = {"moved": selection.moved, "copies": selection.copies, "notes": selection.notes()}
    return {**model, **sampling, **compared.to_json(), **selected}


def _title(options: ComparisonOptions, compared: Comparison) -> str:
    return (
        f"{options.path.stem}: {count_noun(compared.generated, 'generated piece')} (seed {options.seed}, temperature "
        f"{options.temperature:g}) compared with a corpus of {count_noun(compared.corpus, 'piece')}"
    )


def _table(rows: Sequence[MetricComparison]) -> Table:
    """Return a table with one row per metric, grouped."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("")
    for name in ("generated", "corpus", "distance"):
        table.add_column(name, justify="right", no_wrap=True)
    for cells in _cells(rows):
        table.add_row(*cells)
    return table


def _cells(rows: Sequence[MetricComparison]) -> Iterator[tuple[str | Text, ...]]:
    from rich.text import Text

    group = ""
    for row in rows:
        if row.metric.group != group:
            group = row.metric.group
            yield (Text(group, "bold"),)
        share = row.metric.is_share
        yield f"  {row.metric.label}", _summary(row.generated, share), _summary(row.corpus, share), _distance(row)


def _summary(summary: Summary | None, is_share: bool) -> str:
    if summary is None:
        return "–"
    mean = f"{summary.mean:.1%}" if is_share else f"{summary.mean:.2f}"
    if summary.deviation is None:
        return f"{mean} ± {'–':>{4 if is_share else 5}}"
    return f"{mean} ± {100 * summary.deviation:4.1f}" if is_share else f"{mean} ± {summary.deviation:5.2f}"


def _distance(row: MetricComparison) -> str | Text:
    from rich.text import Text

    if row.distance is None:
        return "–"
    return Text(f"{row.distance:+.2f}", "green" if abs(row.distance) <= MAX_SIMILAR_DISTANCE else "yellow")


def _remarks(console: Console, compared: Comparison, request: GenerationRequest) -> None:
    """Print what the table does not show."""
    distances = [row.distance for row in compared.metrics if row.distance is not None]
    near = sum(abs(distance) <= MAX_SIMILAR_DISTANCE for distance in distances)
    if distances:
        console.say(
            f"{near} of {count_noun(len(distances), 'mean')} are within one standard deviation of the corpus mean"
        )
    elif any(row.corpus and row.corpus.pieces == 1 for row in compared.metrics):
        console.say("no distances: a single piece has no standard deviation")
    if compared.silent:
        console.warn(f"{compared.silent:,} of {count_noun(compared.generated, 'generated piece')} are empty")
    if compared.cut:
        cut = f"{compared.cut:,} of {count_noun(compared.generated, 'generated piece')}"
        console.say(f"{cut} were truncated at {request.length} steps")
    if not compared.against_training_data and any(row.metric in COPYING for row in compared.metrics):
        console.say("the model does not hold its training melodies, so copied runs were searched for in this corpus")
