"""Read from TOML files what is trained, measured and compared.

    [[task]]        a figure to reach: `name`, `title`, `unit`, `published`, `at_least`, `aim`
    [[stage]]       a model: `name`, `train` (commands, which may use `--from $BEFORE`), `measure` (a command), and
                    its purpose: a `task`, or a `published` figure and its `data`
    [[ablation]]    a `base` command, `changes` of it by name, and results of what was `tried` with a patch, by name
    [[race]]        two commands with the same data, `published` and `ours`, compared by time

A stage may have `also` (other measures by name), `seconds` (a time limit), `story` (updates whose snapshots generate
tunes), and `opening` (texts to measure after a given opening). The benchmark adds seeds to the commands.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from composer.training import presets

from .commands import changed, flag, is_seeded, words

FILES = tuple(Path(__file__).with_name(f"{name}.toml") for name in ("tasks", "published", "ablations", "races"))
BASE = "base"
BEFORE = "$BEFORE"


@dataclass(frozen=True)
class Task:
    """A target figure; lower is better. With `race`, it is the share of time of that race."""

    name: str
    title: str
    published: str
    at_least: float
    aim: float
    unit: str = ""
    race: str = ""


@dataclass(frozen=True)
class Stage:
    """A model, with the commands that train and measure it."""

    name: str
    train: tuple[str, ...]
    measure: str = ""
    task: str = ""
    data: str = ""
    published: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    story: tuple[int, ...] = ()
    opening: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "train", tuple(self.train))
        object.__setattr__(self, "story", tuple(self.story))
        if not self.train:
            raise ValueError(f"{self.name}: `train` has no commands")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"{self.name}: `seconds` must be positive, not {self.seconds:g}")
        for number, command in enumerate(self.train):
            if words(command)[0] != "train":
                raise ValueError(f"{self.name}: `{command}` is not a training command")
            if BEFORE in command and not number:
                raise ValueError(f"{self.name}: $BEFORE in the first training")
            if is_seeded(command):
                raise ValueError(f"{self.name}: `{command}` must not set a seed")
            if (preset := flag(command, "--preset")) is not None and preset not in presets.preset_names():
                raise ValueError(f"{self.name}: unknown preset '{preset}'")
        for command in self.measures.values():
            if words(command)[0] != "eval":
                raise ValueError(f"{self.name}: `{command}` is not an eval command")

    @property
    def measures(self) -> dict[str, str]:
        """All measures by name; the first has no name and is compared with the target."""
        return ({"": self.measure} if self.measure else {}) | dict(self.also)


@dataclass(frozen=True)
class Ablation:
    """Variations of one training."""

    name: str
    title: str
    base: str
    changes: Mapping[str, str]
    tried: Mapping[str, str] = field(default_factory=dict)

    def stages(self) -> dict[str, Stage]:
        """Return the base and each change as a stage."""
        commands = {BASE: self.base} | {name: changed(self.base, change) for name, change in self.changes.items()}
        return {name: Stage(f"{self.name}/{name}", (command,)) for name, command in commands.items()}


@dataclass(frozen=True)
class Race:
    """Two trainings on the same data, one after the other on the same machine."""

    name: str
    title: str
    published: str
    ours: str

    def stages(self) -> dict[str, Stage]:
        """Return both as stages."""
        both = {"published": self.published, "ours": self.ours}
        return {name: Stage(f"{self.name}/{name}", (command,)) for name, command in both.items()}


@dataclass(frozen=True)
class Plan:
    """All that is declared."""

    tasks: tuple[Task, ...] = ()
    models: tuple[Stage, ...] = ()
    ablations: tuple[Ablation, ...] = ()
    races: tuple[Race, ...] = ()

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two stages have the name `{twice[0]}`")
        known = {task.name for task in self.tasks}
        for stage in self.models:
            if stage.task and stage.task not in known:
                raise ValueError(f"{stage.name}: unknown task `{stage.task}`")
        races = {race.name for race in self.races}
        for task in self.tasks:
            if task.race and task.race not in races:
                raise ValueError(f"{task.name}: unknown race `{task.race}`")

    def stages(self) -> Iterator[Stage]:
        """Yield all stages in the order in which they are run."""
        yield from self.models
        for race in self.races:
            yield from race.stages().values()
        for ablation in self.ablations:
            yield from ablation.stages().values()

    def named(self, names: Sequence[str]) -> list[Stage]:
        """Return the stages with these names or of these tasks, ablations or races; all stages without names.

        Raises ValueError for an unknown name.
        """
        every = list(self.stages())
        for name in names:
            if not any(_is_called(stage, name) for stage in every):
                raise ValueError(f"unknown stage `{name}`")
        return [stage for stage in every if not names or any(_is_called(stage, name) for name in names)]


def read(paths: Sequence[Path] = FILES) -> Plan:
    """Return all that the files declare. Raises ValueError with the name of an invalid file."""
    found: dict[str, list[Any]] = {"task": [], "stage": [], "ablation": [], "race": []}
    kinds = {"task": Task, "stage": Stage, "ablation": Ablation, "race": Race}
    for path in paths:
        for kind, tables in _tables(path).items():
            if kind not in kinds:
                raise ValueError(f"{path.name}: unknown table `{kind}`")
            found[kind] += [_made(kinds[kind], table, path.name) for table in tables]
    return Plan(*(tuple(found[kind]) for kind in ("task", "stage", "ablation", "race")))


Declared = TypeVar("Declared")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


SHAPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("a string", _is_text),
    "float": ("a number", _is_number),
    "float | None": ("a number", _is_number),
    "tuple[str, ...]": ("a list of strings", lambda value: isinstance(value, list) and all(map(_is_text, value))),
    "tuple[int, ...]": ("a list of numbers", lambda value: isinstance(value, list) and all(map(_is_number, value))),
    "Mapping[str, str]": (
        "a table of strings",
        lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    ),
}
"""The description and the check of a value by the type of its field."""


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _made(kind: type[Declared], table: Mapping[str, Any], file: str) -> Declared:
    place = f"{file}, {table.get('name', kind.__name__)}"
    known = {each.name: str(each.type) for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(table) - set(known)):
        raise ValueError(f"{place}: unknown key `{unknown[0]}`")
    for name, value in table.items():
        shape, fits = SHAPES[known[name]]
        if not fits(value):
            raise ValueError(f"{place}: `{name}` is not {shape}")
    try:
        return kind(**table)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from error


def _is_called(stage: Stage, name: str) -> bool:
    return name in {stage.name, stage.task, stage.name.partition("/")[0]}
