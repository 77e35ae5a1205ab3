"""Results of a stage: its runs by seed, its figures, and the targets it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ..commands import tidy
from ..measures.intervals import Figure, Group, pooled
from ..measures.measuring import groups, is_complete
from ..stages import Plan, Race, Stage, Task
from ..training.store import CUT, Store, Trained, chain, measure_key
from ..training.trainings import Limits, is_whole
from .races import Outcome, outcome
from .record import Measure, Record, Run

AIS_LOW = 0.06
"""Nats per frame by which an AIS figure may be too low: 0.06 for the sharp RBMs of `jsb-rnnrbm` and 0.01 for those of
`nottingham-rnnrbm`, compared with 1,000 steps and many more chains."""


@dataclass(frozen=True)
class Measured:
    """A figure of a stage in `unit`, over `pieces` test pieces."""

    figure: Figure
    unit: str
    pieces: int


class Results:
    """All results so far: those of `record`, and those in the benchmark's folder, which replace them.

    Figures are over all seeds.
    """

    def __init__(self, plan: Plan, store: Store, limits: Limits, record: Record | None = None) -> None:
        self.plan, self.store, self.limits, self._record = plan, store, limits, record or Record()

    def record(self) -> Record:
        """Return the record of all results."""
        runs = {stage.name: self.runs(stage) for stage in self.plan.stages()}
        outcomes = {race.name: self.outcomes(race) for race in self.plan.races}
        return self._record.updated(
            {name: found for name, found in runs.items() if found},
            {name: found for name, found in outcomes.items() if found},
        )

    def runs(self, stage: Stage) -> dict[int, Run]:
        """Return the runs of a stage by seed."""
        here = {seed: self._run(stage, seed, trained) for seed, trained in self.trained(stage).items()}
        found = self._record.runs(stage) | here
        return {seed: found[seed] for seed in sorted(found)}

    def trained(self, stage: Stage) -> dict[int, list[Trained]]:
        """Return the trainings of a stage in the benchmark's folder, in order, by seed."""
        found = {seed: [self.store.trained(key) for key in chain(stage, seed)] for seed in self.store.seeds(stage)}
        return {seed: [each for each in trained if each] for seed, trained in found.items() if all(trained)}

    def measured(self, stage: Stage, command: str, unit: str = "") -> Measured | None:
        """Return the result of a measure, in `unit` if given; None if it has not been measured."""
        every = [run.measures[tidy(command)] for run in self.runs(stage).values() if tidy(command) in run.measures]
        if not every:
            return None
        first = every[0]
        scale = scale_of(first.unit, unit)
        figure = pooled(
            [scale * each.value for each in every],
            [scale * each.stderr for each in every],
            [[Group(scale * group.value, group.steps) for group in each.groups] for each in every],
        )
        if len(every) == 1 and first.interval:
            figure = replace(figure, ends=(scale * first.interval[0], scale * first.interval[1]))
        return Measured(figure, unit or first.unit, first.pieces)

    def found(self, stage: Stage, seed: int, command: str) -> dict[str, Any]:
        """Return what is saved in the benchmark's folder for `command` and the current model."""
        key = chain(stage, seed)[-1]
        found = self.store.measured(measure_key(key, command))
        return found if self.store.trained(key) and found.get("model") == self.store.identity(key) else {}

    def validated(self, stage: Stage) -> dict[int, float]:
        """Return the best validation loss of the last training of a stage, by seed."""
        return {seed: run.validation for seed, run in self.runs(stage).items() if run.validation is not None}

    def seconds(self, stage: Stage) -> float | None:
        """Return the total time of its trainings, averaged over seeds."""
        every = [run.seconds for run in self.runs(stage).values()]
        return fmean(every) if every else None

    def cut(self, stage: Stage) -> bool:
        """Whether a training was stopped by its time limit."""
        return any(run.cut for run in self.runs(stage).values())

    def complete(self, stage: Stage, seed: int) -> bool:
        """Whether a stage is complete for a seed in the benchmark's folder."""
        trained = self.trained(stage).get(seed, ())
        looked = [name for wanted, name in ((stage.story, "story"), (stage.opening, "opening")) if wanted]
        return (
            len(trained) > 0
            and all(is_whole(each, self.limits.seconds(stage)) for each in trained)
            and all(self._is_measured(self.found(stage, seed, command)) for command in stage.measures.values())
            and all(self.found(stage, seed, name) for name in looked)
        )

    def outcomes(self, race: Race) -> dict[int, Outcome]:
        """Return the outcomes of a race, by seed."""
        both = race.stages()
        done = [set(self.trained(stage)) for stage in both.values()]
        here = {
            seed: outcome(*(self.store.curve(chain(stage, seed)[-1]) for stage in both.values()))
            for seed in set.intersection(*done)
        }
        found = self._record.outcomes(race) | {seed: each for seed, each in here.items() if each}
        return {seed: found[seed] for seed in sorted(found)}

    def _run(self, stage: Stage, seed: int, trained: list[Trained]) -> Run:
        """Return the run of a seed in the benchmark's folder."""
        measures = {}
        for command in map(tidy, stage.measures.values()):
            saved = self.found(stage, seed, command)
            if "found" in saved:
                facts = {name: saved["found"][name] for name in ("value", "unit", "pieces", "stderr")}
                measures[command] = Measure(**facts, groups=tuple(groups(saved)))
        last = trained[-1]
        return Run(
            commands=tuple(map(tidy, stage.train)),
            updates=tuple(each.steps for each in trained),
            seconds=sum(each.seconds for each in trained),
            best_update=last.best_step,
            cut=any(each.reason == CUT for each in trained),
            validation=last.reported,
            unit=last.unit,
            measures=measures,
            opening=self.found(stage, seed, "opening").get("bits"),
            story=tuple(self.found(stage, seed, "story").get("story", ())),
        )

    def _is_measured(self, found: dict[str, Any]) -> bool:
        return is_complete(found) or (not self.limits.intervals and "found" in found)


def reached(task: Task, figure: Figure) -> str:
    """Return the level that a figure reaches before rounding, and doubts from its estimate, pieces and seeds."""
    highest = figure.mean + (AIS_LOW if figure.estimated else 0.0)
    for name, bound in (("aim", task.aim), ("minimum", task.at_least)):
        if figure.mean <= bound:
            doubts = ["the estimate's error"] if highest > bound else []
            doubts += ["chance"] if figure.margin and highest + figure.margin > bound else []
            return f"{name}, within {' or '.join(doubts)}" if doubts else name
    return "no"


def scale_of(unit: str, wanted: str) -> float:
    """Return the factor from `unit` to `wanted`: between bits and nats, else 1."""
    if unit.startswith("bits") and wanted.startswith("nats"):
        return math.log(2)
    return 1 / math.log(2) if unit.startswith("nats") and wanted.startswith("bits") else 1.0
