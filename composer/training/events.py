"""Events of a training run, which the terminal, JSON lines, TensorBoard and the tests read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in training."""

    def to_json(self) -> dict[str, Any]:
        """Return this event as plain JSON, with its name in snake case under `event`."""
        event = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        fields = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return {"event": event, **fields}


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    """The pieces are read and encoded, or were before if `cached`. The other fields are those of `dataset.Report`."""

    pieces: Mapping[str, int]
    rejected: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str]
    duplicates: int
    moved: int
    copies: int
    notes: Sequence[str]
    losses: Mapping[str, int]
    cached: bool


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A phase of `updates` updates, which would have `unlimited_updates` without `max_updates`."""

    name: str
    updates: int
    unlimited_updates: int


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A phase of training starts or resumes, at `update` of `updates` of the run, on `device` in `precision`.

    On a CPU, torch uses this many `threads`; None if the user set their number.
    `pieces` and `counted` are the numbers of pieces and steps (tokens or frames) for training and validation.
    """

    phase: str
    update: int
    updates: int
    updates_per_epoch: int
    parameters: int
    device: str
    precision: str
    pieces: tuple[int, int]
    counted: tuple[int, int]
    phases: Sequence[PlannedPhase] = ()
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Updated(Event):
    """The updates since the last such event, one on a CPU, several on other devices.

    `monitor` is their mean loss in nats per step, `rate` the steps per second over the last few seconds.
    """

    update: int
    epoch: float
    monitor: float
    lr: float
    rate: float


@dataclass(frozen=True, slots=True)
class Validated(Event):
    """A validation: `value` in nats per step, `reported` the same in `unit`, `best` if it is the best so far."""

    update: int
    epoch: float
    value: float
    reported: float
    unit: str
    best: bool


@dataclass(frozen=True, slots=True)
class MicroBatchHalved(Event):
    """Memory ran out: from now on `rows` rows go through the network at a time, in each process. Results are equal."""

    update: int
    rows: int


@dataclass(frozen=True, slots=True)
class RolledBack(Event):
    """Training resumes from `update`, its last saved state; the model of `best_update` stays until a better one."""

    update: int
    best_update: int


@dataclass(frozen=True, slots=True)
class ModelLost(Event):
    """The best model, which was at `path`, is missing or damaged; the model of `update` is saved instead."""

    update: int
    path: Path


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """The model as it is at `update` was saved to `path`."""

    update: int
    path: Path


@dataclass(frozen=True, slots=True)
class Saved(Event):
    """A checkpoint was written."""

    update: int
    path: Path


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Training ended: `reason` is `done`, `early` (no more improvement) or `interrupted`.

    `best` is the best validation value in nats per step, None without validation; `path` is the checkpoint, and
    `output` its copy, None if there is none.
    """

    update: int
    reason: str
    best: float | None
    path: Path
    output: Path | None = None
