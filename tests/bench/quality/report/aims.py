"""Targets: a row for each model, and a summary of the tasks that reached them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..measures.intervals import pooled
from ..stages import Race, Stage, Task
from .results import Results, reached
from .words import NOT_YET, also_rows, figure_text, interval_text, missing_text, seeds_text, table, trained_text

HEADS = ("task", "published", "minimum", "aim", "model", "measured", "95 %", "reached?", "training")
LEVELS = {
    "aim": "reached the aim",
    "minimum": "reached the minimum but not the aim",
    "no": "missed the minimum",
    "": "without a decisive figure yet",
}
"""Results of a task, best first, in the words of the summary."""


class Row(NamedTuple):
    """A model for a task, and its result."""

    model: str
    figure: str
    interval: str
    reached: str
    trained: str
    also: tuple[tuple[str, str, str], ...] = ()
    """Other measures of the model: name, figure, interval."""

    @property
    def level(self) -> str:
        """The one of LEVELS that was reached, without doubts."""
        level = self.reached.partition(",")[0]
        return level if level in LEVELS else ""

    @property
    def is_sure(self) -> bool:
        """Whether the level is certain."""
        return "," not in self.reached


def summary(results: Results) -> Iterator[str]:
    """Yield a list of how many tasks reached each level."""
    tasks = results.plan.tasks
    if not tasks:
        return
    best = {task.name: _best(task_rows(results, task)) for task in tasks}
    yield f"Summary of {len(tasks)} tasks:\n"
    for level, text in LEVELS.items():
        named = [_named(name, row) for name, row in best.items() if (row.level if row else "") == level]
        yield f"- {len(named)} {text}" + (f": {', '.join(named)}" if named else "")
    if any(row and not row.is_sure for row in best.values()):
        yield "\n(?): not certain; the column `reached?` says why."
    yield ""


def tables(results: Results) -> Iterator[str]:
    """Yield the table of all tasks; further rows of a model are its other measures."""
    rows = []
    for task in results.plan.tasks:
        facts = (f"`{task.name}`: {task.title}", task.published, str(float(task.at_least)), str(float(task.aim)))
        for row in task_rows(results, task):
            rows.append((*facts, row.model, row.figure, row.interval, row.reached, row.trained))
            rows += [
                (f"same model: {of}", "", "", "", row.model, figure, ends, "", "") for of, figure, ends in row.also
            ]
    yield from table(HEADS, rows)


def task_rows(results: Results, task: Task) -> list[Row]:
    """Return a row for each model of a task."""
    if task.race:
        return [_of_race(results, task, next(race for race in results.plan.races if race.name == task.race))]
    stages = [stage for stage in results.plan.models if stage.task == task.name]
    return [_of_stage(results, task, stage) for stage in stages] or [Row("none", NOT_YET, "", "", "")]


def _of_stage(results: Results, task: Task, stage: Stage) -> Row:
    found = results.measured(stage, stage.measure, task.unit)
    model, training = f"`{stage.name}`", trained_text(results, stage)
    if found is None:
        return Row(model, missing_text(results, stage), "", "", training)
    text = figure_text(found, (task.at_least, task.aim), task.published)
    also = tuple(also_rows(results, stage, task.unit))
    return Row(model, text, interval_text(found), reached(task, found.figure), training, also)


def _of_race(results: Results, task: Task, race: Race) -> Row:
    ours = race.stages()["ours"]
    model, training = f"`{ours.name}`", trained_text(results, ours)
    outcomes = results.outcomes(race)
    if not outcomes:
        return Row(model, missing_text(results, ours), "", "", training)
    shares = [each.share for each in outcomes.values()]
    if None in shares:
        missed = f"{shares.count(None)} of {len(shares)} seeds"
        return Row(model, f"never as good with {missed}", "", "no", training)
    figure = pooled([share for share in shares if share is not None])
    cut = results.cut(race.stages()["published"])
    level = "unknown: the published training was stopped by the time limit" if cut else reached(task, figure)
    return Row(model, f"{figure.mean:.3f}{seeds_text(figure)}", "", level, training)


def _best(rows: list[Row]) -> Row | None:
    """Return the row with the best level; of equal ones, the more certain one."""
    order = list(LEVELS)
    return min(rows, key=lambda row: (order.index(row.level), not row.is_sure), default=None)


def _named(name: str, row: Row | None) -> str:
    return f"`{name}`" if row is None or row.is_sure else f"`{name}` (?)"
