"""Record of results beside the page, from which the page is written: a run of another machine needs no model here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from composer.api import UsageError

from ..commands import tidy
from ..measures.intervals import Group
from ..stages import Race, Stage
from .races import Outcome

FILE = "results.json"
NUMBERS = re.compile(r"\[[^\[\]{}]*\]")
"""A list in JSON without lists in it."""


@dataclass(frozen=True)
class Measure:
    """A figure of one run in `unit`, with the figures of `groups` of its test pieces.

    `interval` is the 95 % interval of a run whose groups are not known any more.
    """

    value: float
    unit: str
    pieces: int
    stderr: float = 0.0
    groups: tuple[Group, ...] = ()
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Run:
    """A stage with one seed: its trainings by `commands`, with the `updates` of each, and its measures by command.

    `seconds` is the time of all trainings, `validation` the best loss of the last, in `unit`. `cut` is whether one was
    stopped by its time limit. Zero and empty values are not known.
    """

    commands: tuple[str, ...]
    updates: tuple[int, ...] = ()
    seconds: float = 0.0
    best_update: int = 0
    cut: bool = False
    validation: float | None = None
    unit: str = ""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    opening: float | None = None
    story: tuple[Mapping[str, Any], ...] = ()


class Record:
    """Runs of stages and outcomes of races, by name and seed."""

    def __init__(
        self,
        runs: Mapping[str, Mapping[int, Run]] | None = None,
        outcomes: Mapping[str, Mapping[int, Outcome]] | None = None,
    ) -> None:
        self._runs, self._outcomes = dict(runs or {}), dict(outcomes or {})

    def runs(self, stage: Stage) -> dict[int, Run]:
        """Return the runs of a stage by seed, without those that were trained with other commands."""
        commands = tuple(map(tidy, stage.train))
        return {seed: run for seed, run in self._runs.get(stage.name, {}).items() if run.commands == commands}

    def outcomes(self, race: Race) -> dict[int, Outcome]:
        """Return the outcomes of a race by seed, if both of its stages were run."""
        both = [self.runs(stage) for stage in race.stages().values()]
        return {
            seed: each for seed, each in self._outcomes.get(race.name, {}).items() if all(seed in runs for runs in both)
        }

    def updated(self, runs: Mapping[str, Mapping[int, Run]], outcomes: Mapping[str, Mapping[int, Outcome]]) -> Record:
        """Return a record in which these replace what has the same name; everything else stays."""
        return Record({**self._runs, **runs}, {**self._outcomes, **outcomes})

    def write(self, path: Path) -> None:
        """Write it as JSON, in the order of names and seeds."""
        plain = {
            "runs": _sorted(
                {name: {seed: _plain(run) for seed, run in runs.items()} for name, runs in self._runs.items()}
            ),
            "races": _sorted(
                {name: {seed: asdict(each) for seed, each in found.items()} for name, found in self._outcomes.items()}
            ),
        }
        text = NUMBERS.sub(
            lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"),
            json.dumps(plain, indent=1),
        )
        path.write_text(text + "\n", "utf-8")


def read(path: Path) -> Record:
    """Return the record in a file; an empty one if there is no file. Raises UsageError for an invalid one."""
    if not path.exists():
        return Record()
    try:
        found = json.loads(path.read_text("utf-8"))
        return Record(
            {name: {int(seed): _run(run) for seed, run in runs.items()} for name, runs in found["runs"].items()},
            {
                name: {int(seed): Outcome(**each) for seed, each in outcomes.items()}
                for name, outcomes in found["races"].items()
            },
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"invalid record {path}: {error}", f"restore it: git checkout {path}") from error


def _run(found: dict[str, Any]) -> Run:
    measures = {command: _measure(each) for command, each in found.get("measures", {}).items()}
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return Run(**(known | {"measures": measures}))


def _measure(found: dict[str, Any]) -> Measure:
    interval = found.get("interval")
    groups = tuple(Group(*each) for each in found.get("groups", ()))
    return Measure(**(found | {"groups": groups, "interval": tuple(interval) if interval else None}))


def _plain(run: Run) -> dict[str, Any]:
    """Return a run without what it does not have."""
    found = asdict(run)
    found["measures"] = {
        command: _without_empty(asdict(each) | {"groups": [[group.value, group.steps] for group in each.groups]})
        for command, each in run.measures.items()
    }
    return _without_empty(found)


def _without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, (), [], {}, "", 0.0, False)}


def _sorted(found: Mapping[str, Mapping[int, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {str(seed): found[name][seed] for seed in sorted(found[name])} for name in sorted(found)}
