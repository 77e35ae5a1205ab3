"""What was to be reached: a row for each model, and how many of the tasks did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .intervals import pooled
from .results import Results, reached
from .stages import Race, Stage, Task
from .words import NOT_YET, also_rows, figure_text, interval_text, missing_text, seeds_text, table, trained_text

HEADS = ("task", "published", "at least", "aim", "model", "here", "95 %", "reached?", "trained for")
LEVELS = {
    "aim": "reached the aim",
    "at least": "reached what was asked at least, and not the aim",
    "no": "did not reach what was asked at least",
    "": "without a figure yet, or with none that decides",
}
"""What can be said of a task, the best first, in the words of the summary."""


class Row(NamedTuple):
    """A model that is to do a task, and how well it does."""

    model: str
    here: str
    interval: str
    reached: str
    trained: str
    also: tuple[tuple[str, str, str], ...] = ()
    """Other measures of the model: what they are of, the figure, the interval."""

    @property
    def level(self) -> str:
        """The one of LEVELS that was reached; what is not sure of it is left out."""
        level = self.reached.partition(",")[0]
        return level if level in LEVELS else ""

    @property
    def is_sure(self) -> bool:
        """Whether nothing is said against what was reached."""
        return "," not in self.reached


def summary(results: Results) -> Iterator[str]:
    """How many tasks reached what, in a list."""
    tasks = results.plan.tasks
    if not tasks:
        return
    best = {task.name: _best(task_rows(results, task)) for task in tasks}
    yield f"In short, of {len(tasks)} tasks:\n"
    for level, told in LEVELS.items():
        named = [_named(name, row) for name, row in best.items() if (row.level if row else "") == level]
        yield f"- {len(named)} {told}" + (f": {', '.join(named)}" if named else "")
    if any(row and not row.is_sure for row in best.values()):
        yield "\n(?): other pieces, other seeds or a better estimate may undo it; the column `reached?` says which."
    yield ""


def tables(results: Results) -> Iterator[str]:
    """The table of all tasks; a row below a model's first is another measure of the same model."""
    rows = []
    for task in results.plan.tasks:
        asked = (f"`{task.name}`: {task.title}", task.published, str(float(task.at_least)), str(float(task.aim)))
        for row in task_rows(results, task):
            rows.append((*asked, row.model, row.here, row.interval, row.reached, row.trained))
            rows += [
                (f"the same model: {of}", "", "", "", row.model, here, ends, "", "") for of, here, ends in row.also
            ]
    yield from table(HEADS, rows)


def task_rows(results: Results, task: Task) -> list[Row]:
    """A row for each model that is to do it."""
    if task.race:
        return [_of_race(results, task, next(race for race in results.plan.races if race.name == task.race))]
    stages = [stage for stage in results.plan.models if stage.task == task.name]
    return [_of_stage(results, task, stage) for stage in stages] or [Row("none", NOT_YET, "", "", "")]


def _of_stage(results: Results, task: Task, stage: Stage) -> Row:
    found = results.measured(stage, stage.measure, task.unit)
    model, learnt = f"`{stage.name}`", trained_text(results, stage)
    if found is None:
        return Row(model, missing_text(results, stage), "", "", learnt)
    here = figure_text(found, (task.at_least, task.aim), task.published)
    also = tuple(also_rows(results, stage, task.unit))
    return Row(model, here, interval_text(found), reached(task, found.figure), learnt, also)


def _of_race(results: Results, task: Task, race: Race) -> Row:
    ours = race.stages()["ours"]
    model, learnt = f"`{ours.name}`", trained_text(results, ours)
    outcomes = results.outcomes(race)
    if not outcomes:
        return Row(model, missing_text(results, ours), "", "", learnt)
    shares = [each.share for each in outcomes.values()]
    if None in shares:
        often = f"with {shares.count(None)} of {len(shares)} seeds"
        return Row(model, f"never as good {often}", "", "no", learnt)
    figure = pooled([share for share in shares if share is not None])
    cut = results.cut(race.stages()["published"])
    level = "not known: the published was cut short by its time" if cut else reached(task, figure)
    return Row(model, f"{figure.mean:.3f}{seeds_text(figure)}", "", level, learnt)


def _best(rows: list[Row]) -> Row | None:
    """The row that reached most, of two that reached the same the surer one."""
    order = list(LEVELS)
    return min(rows, key=lambda row: (order.index(row.level), not row.is_sure), default=None)


def _named(name: str, row: Row | None) -> str:
    return f"`{name}`" if row is None or row.is_sure else f"`{name}` (?)"
