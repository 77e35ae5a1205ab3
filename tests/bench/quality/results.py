"""What is known of a stage: its trainings by seed, its figures, and how well it does what it is for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from .intervals import Figure, Group, pooled
from .measuring import groups, is_complete
from .races import Outcome, outcome
from .stages import Plan, Race, Stage, Task
from .store import CUT, Store, Trained, chain, measure_key
from .trainings import Limits, is_whole

AIS_LOW = 0.03
"""Nats a frame that a figure by AIS may be too low; `rnnrbm` measured it with 50 and 150 units."""


@dataclass(frozen=True)
class Measured:
    """A figure of a stage in `unit`, over `pieces` test pieces."""

    figure: Figure
    unit: str
    pieces: int


class Results:
    """All that has been found so far. Figures are of all seeds that are there."""

    def __init__(self, plan: Plan, store: Store, limits: Limits) -> None:
        self.plan, self.store, self.limits = plan, store, limits

    def trained(self, stage: Stage) -> dict[int, list[Trained]]:
        """The trainings of a stage, one after the other, by seed."""
        found = {seed: [self.store.trained(key) for key in chain(stage, seed)] for seed in self.store.seeds(stage)}
        return {seed: [each for each in trained if each] for seed, trained in found.items() if all(trained)}

    def measured(self, stage: Stage, command: str, unit: str = "") -> Measured | None:
        """What a measure of a stage found, in `unit` if one is named; None where nothing has been measured."""
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
        """What is kept of a measure, or of what else was looked at under `command`, of the model as it is now."""
        key = chain(stage, seed)[-1]
        found = self.store.measured(measure_key(key, command))
        return found if self.store.trained(key) and found.get("model") == self.store.identity(key) else {}

    def validated(self, stage: Stage) -> dict[int, float]:
        """The best validation figure of the last training of a stage, by seed."""
        found = {seed: trained[-1].reported for seed, trained in self.trained(stage).items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def seconds(self, stage: Stage) -> float | None:
        """How long all its trainings took together, the mean over seeds."""
        every = [sum(each.seconds for each in trained) for trained in self.trained(stage).values()]
        return fmean(every) if every else None

    def cut(self, stage: Stage) -> bool:
        """Whether a training was stopped by its time and not by its end."""
        return any(each.reason == CUT for trained in self.trained(stage).values() for each in trained)

    def complete(self, stage: Stage, seed: int) -> bool:
        """Whether nothing is left to do of a stage at a seed."""
        trained = self.trained(stage).get(seed, ())
        looked = [name for wanted, name in ((stage.story, "story"), (stage.opening, "opening")) if wanted]
        return (
            len(trained) > 0
            and all(is_whole(each, self.limits.seconds(stage)) for each in trained)
            and all(self._is_measured(self.found(stage, seed, command)) for command in stage.measures.values())
            and all(self.found(stage, seed, name) for name in looked)
        )

    def outcomes(self, race: Race) -> dict[int, Outcome]:
        """What came of a race, by seed."""
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
    """Whether a figure is as low as a task asks for, by the figure itself, not as it is printed.

    What the error of an estimate, the interval over test pieces and the seeds do not make sure of is said.
    """
    highest = figure.mean + (AIS_LOW if figure.estimated else 0.0)
    for name, bound in (("aim", task.aim), ("at least", task.at_least)):
        if figure.mean <= bound:
            doubts = ["the estimate's error"] if highest > bound else []
            doubts += ["chance"] if figure.margin and highest + figure.margin > bound else []
            return f"{name}, not beyond {' or '.join(doubts)}" if doubts else name
    return "no"


def scale_of(unit: str, wanted: str) -> float:
    """The factor from `unit` to `wanted`: between bits and nats, else 1."""
    if unit.startswith("bits") and wanted.startswith("nats"):
        return math.log(2)
    return 1 / math.log(2) if unit.startswith("nats") and wanted.startswith("bits") else 1.0
