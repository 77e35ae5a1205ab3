"""Results of a stage: its trainings by seed, its figures, and the targets it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..measures.intervals import Figure, Group, pooled
from ..measures.measuring import groups, is_complete
from ..stages import Plan, Race, Stage, Task
from ..training.store import CUT, Store, Trained, chain, measure_key
from ..training.trainings import Limits, is_whole
from .races import Outcome, outcome

AIS_LOW = 0.06
"""Nats per frame by which an AIS figure may be too low, measured by `rnnrbm` on Nottingham with 150 units."""


@dataclass(frozen=True)
class Measured:
    """A figure of a stage in `unit`, over `pieces` test pieces."""

    figure: Figure
    unit: str
    pieces: int


class Results:
    """All results so far. Figures are over all seeds."""

    def __init__(self, plan: Plan, store: Store, limits: Limits) -> None:
        self.plan, self.store, self.limits = plan, store, limits

    def trained(self, stage: Stage) -> dict[int, list[Trained]]:
        """Return the trainings of a stage, in order, by seed."""
        found = {seed: [self.store.trained(key) for key in chain(stage, seed)] for seed in self.store.seeds(stage)}
        return {seed: [each for each in trained if each] for seed, trained in found.items() if all(trained)}

    def measured(self, stage: Stage, command: str, unit: str = "") -> Measured | None:
        """Return the result of a measure, in `unit` if given; None if it has not been measured."""
        every = [self.found(stage, seed, command) for seed in self.trained(stage)]
        known = [each for each in every if "found" in each]
        if not known:
            return None
        first = known[0]["found"]
        scale = scale_of(first["unit"], unit)
        figure = pooled(
            [scale * each["found"]["value"] for each in known],
            [scale * each["found"]["stderr"] for each in known],
            [[Group(scale * group.value, group.steps) for group in groups(each)] for each in known],
        )
        return Measured(figure, unit or first["unit"], first["pieces"])

    def found(self, stage: Stage, seed: int, command: str) -> dict[str, Any]:
        """Return what is saved for `command` and the current model."""
        key = chain(stage, seed)[-1]
        found = self.store.measured(measure_key(key, command))
        return found if self.store.trained(key) and found.get("model") == self.store.identity(key) else {}

    def validated(self, stage: Stage) -> dict[int, float]:
        """Return the best validation loss of the last training of a stage, by seed."""
        found = {seed: trained[-1].reported for seed, trained in self.trained(stage).items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def seconds(self, stage: Stage) -> float | None:
        """Return the total time of its trainings, averaged over seeds."""
        every = [sum(each.seconds for each in trained) for trained in self.trained(stage).values()]
        return fmean(every) if every else None

    def cut(self, stage: Stage) -> bool:
        """Whether a training was stopped by its time limit."""
        return any(each.reason == CUT for trained in self.trained(stage).values() for each in trained)

    def complete(self, stage: Stage, seed: int) -> bool:
        """Whether a stage is complete for a seed."""
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
        found = {
            seed: outcome(*(self.store.curve(chain(stage, seed)[-1]) for stage in both.values()))
            for seed in sorted(set.intersection(*done))
        }
        return {seed: each for seed, each in found.items() if each}

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
