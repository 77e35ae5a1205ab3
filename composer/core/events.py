"""What training reports as it goes. The terminal, JSON lines, TensorBoard and the tests all read this one stream."""

from __future__ import annotations

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
class Started(Event):
    """Training begins, at `step` of `steps` (above 0 when resumed), on `device` in `precision`.

    `pieces` and `counted` are the pieces and steps (tokens or frames) of the training and validation parts.
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


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """One optimiser step. `monitor` is in nats a step of the sequence, `rate` in sequence steps a second."""

    step: int
    epoch: float
    monitor: float
    lr: float
    rate: float


@dataclass(frozen=True, slots=True)
class Validated(Event):
    """The validation part was measured: `value` nats a step, `unit` what is reported, `best` whether it is the best."""

    step: int
    epoch: float
    value: float
    reported: float
    unit: str
    best: bool


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
    """Training ended: `reason` is `done`, `early` (no improvement any more) or `interrupted`."""

    step: int
    reason: str
    best: float
    path: Path
