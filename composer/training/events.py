"""What training reports as it goes. The terminal, JSON lines, TensorBoard and the tests all read this one stream."""

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
        """This event as plain JSON, with its name under `event`."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        fields = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return {"event": name, **fields}


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    """The pieces are read and encoded; `cached` says that this had been done before.

    `pieces` by part; `rejected` and a few `places` by reason; a line for each `unreadable` source; `duplicates` that
    were left out; `notes` that the user should read; `losses` by phrase. The fields of `encoding.Report`.
    """

    pieces: Mapping[str, int]
    rejected: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str]
    duplicates: int
    notes: Sequence[str]
    losses: Mapping[str, int]
    cached: bool


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A phase of training: it takes `updates` steps, and would take `unlimited_updates` if no limit cut it short."""

    name: str
    updates: int
    unlimited_updates: int


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A phase of training begins or goes on, at `update` of `updates` of the run, on `device` in `precision`.

    `pieces` and `counted` are the pieces and steps (tokens or frames) of the training and validation parts. `phases`
    are all of them, in order.
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


@dataclass(frozen=True, slots=True)
class Updated(Event):
    """Optimiser steps up to `update`, one on a CPU, several elsewhere: `monitor` is their mean, in nats a sequence
    step.

    `rate` is in sequence steps a second, over the last few seconds.
    """

    update: int
    epoch: float
    monitor: float
    lr: float
    rate: float


@dataclass(frozen=True, slots=True)
class Validated(Event):
    """The validation part was measured: `value` nats a step, `reported` the same in `unit`, `best` if none was better.

    Training without a validation part has no such events.
    """

    update: int
    epoch: float
    value: float
    reported: float
    unit: str
    best: bool


@dataclass(frozen=True, slots=True)
class MicroBatchHalved(Event):
    """There was not enough memory: from now on `rows` of a batch go through the network at a time, in each process.

    What is learnt stays the same.
    """

    update: int
    rows: int


@dataclass(frozen=True, slots=True)
class RolledBack(Event):
    """Training goes on at `update`, since its state was saved last there, though the model of step `best_update` is
    kept.

    Only a better one will take its place.
    """

    update: int
    best_update: int


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """The model as it is at `update` can be heard: `path` is a checkpoint of it."""

    update: int
    path: Path


@dataclass(frozen=True, slots=True)
class Saved(Event):
    """A checkpoint was written."""

    update: int
    path: Path


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Training ended: `reason` is `done`, `early` (no improvement any more) or `interrupted`.

    `best` is the best validation value in nats, None without a validation part; `path` is the checkpoint to play.
    """

    update: int
    reason: str
    best: float | None
    path: Path
