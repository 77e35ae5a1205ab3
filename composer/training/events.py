"""What training reports as it goes. The terminal, JSON lines, TensorBoard and the tests all read this one stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in training."""

    def to_json(self) -> dict[str, Any]:
        """This event as plain JSON, with its name under `event`."""
        fields = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return {"event": type(self).__name__.lower(), **fields}


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    """The pieces are read and encoded; `cached` says that this had been done before.

    `pieces` by part; `refused` and a few `places` by reason; a line for each `unreadable` source; `duplicates` that
    were left out; `notes` that the user should read; `losses` by phrase. The fields of `encoding.Report`.
    """

    pieces: Mapping[str, int]
    refused: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str]
    duplicates: int
    notes: Sequence[str]
    losses: Mapping[str, int]
    cached: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase of training: it takes `steps` steps, and would take `whole` if no limit cut it short."""

    name: str
    steps: int
    whole: int


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A phase of training begins or goes on, at `step` of `steps` of the run, on `device` in `precision`.

    `pieces` and `counted` are the pieces and steps (tokens or frames) of the training and validation parts. `phases`
    are all of them, in order.
    """

    phase: str
    step: int
    steps: int
    steps_per_epoch: int
    parameters: int
    device: str
    precision: str
    pieces: tuple[int, int]
    counted: tuple[int, int]
    phases: Sequence[Stretch] = ()


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """Optimiser steps up to `step`, one on a CPU, several elsewhere: `monitor` is their mean, in nats a sequence step.

    `rate` is in sequence steps a second, over the last few seconds.
    """

    step: int
    epoch: float
    monitor: float
    lr: float
    rate: float


@dataclass(frozen=True, slots=True)
class Validated(Event):
    """The validation part was measured: `value` nats a step, `reported` the same in `unit`, `best` if none was better.

    Training without a validation part has no such events.
    """

    step: int
    epoch: float
    value: float
    reported: float
    unit: str
    best: bool


@dataclass(frozen=True, slots=True)
class Halved(Event):
    """There was not enough memory: from now on `rows` of a batch go through the network at a time, in each process.

    What is learnt stays the same.
    """

    step: int
    rows: int


@dataclass(frozen=True, slots=True)
class WentBack(Event):
    """Training goes on at `step`, since its state was saved last there, though the model of step `kept` is kept.

    Only a better one will take its place.
    """

    step: int
    kept: int


@dataclass(frozen=True, slots=True)
class Snapshot(Event):
    """The model as it is at `step` can be heard: `path` is a checkpoint of it."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True)
class Saved(Event):
    """A checkpoint was written."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Training ended: `reason` is `done`, `early` (no improvement any more) or `interrupted`.

    `best` is the best validation value in nats, None without a validation part; `path` is the checkpoint to play.
    """

    step: int
    reason: str
    best: float | None
    path: Path
