"""Store of trainings and measures in the benchmark's folder, by command, so that nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.training_files import state_path
from composer.training import presets

from ..commands import digest, flag, tidy
from ..stages import Stage

CUT = "interrupted"
"""The reason for the end of a training that was stopped by its time limit."""


@dataclass(frozen=True)
class Trained:
    """A training from its checkpoint's record; `reported` is its best validation loss, in `unit`."""

    command: str
    seed: int
    steps: int
    seconds: float
    best_step: int
    reported: float | None
    unit: str
    reason: str


@dataclass(frozen=True)
class Point:
    """A validation loss after `seconds` of training."""

    step: int
    seconds: float
    value: float


class Store:
    """The benchmark's folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._identities: dict[tuple[Path, int, int], str] = {}

    def model(self, key: str) -> Path:
        """Return the checkpoint of a training."""
        return self.home / "models" / f"{key}.safetensors"

    def identity(self, key: str) -> str:
        """Return the digest of a training's checkpoint; empty if there is none."""
        path = self.model(key)
        if not path.exists():
            return ""
        state = path.stat()
        known = (path, state.st_mtime_ns, state.st_size)
        if known not in self._identities:
            self._identities[known] = checkpoint_file.digest(path)
        return self._identities[known]

    def trained(self, key: str) -> Trained | None:
        """Return a finished training, else None."""
        found = _read(self.home / "trainings" / f"{key}.json")
        return Trained(**found) if found else None

    def keep_trained(self, key: str, trained: Trained) -> None:
        """Save a finished training."""
        _write(self.home / "trainings" / f"{key}.json", asdict(trained))

    def forget(self, key: str) -> None:
        """Delete a training, so that it starts again."""
        (self.home / "trainings" / f"{key}.json").unlink(missing_ok=True)
        state_path(self.model(key)).unlink(missing_ok=True)

    def curve(self, key: str) -> list[Point]:
        """Return the validations of a training so far."""
        path = self._curve(key)
        lines = path.read_text().splitlines() if path.exists() else []
        return [Point(*json.loads(line)) for line in lines if line.endswith("]")]

    def begin_curve(self, key: str, step: int) -> None:
        """Drop validations after `step`, from which a training is resumed."""
        kept = [point for point in self.curve(key) if point.step <= step]
        path = self._curve(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(_line(point) for point in kept))

    def validated(self, key: str, point: Point) -> None:
        """Append a validation."""
        with self._curve(key).open("a") as file:
            file.write(_line(point))

    def measured(self, key: str) -> dict[str, Any]:
        """Return what has been measured under this key; empty if nothing."""
        return _read(self.home / "measured" / f"{key}.json") or {}

    def keep_measured(self, key: str, found: dict[str, Any]) -> None:
        """Save a measure."""
        _write(self.home / "measured" / f"{key}.json", found)

    def failed(self, stage: str) -> str:
        """Return why a stage failed the last time; empty if it did not."""
        path = self._failed(stage)
        return path.read_text() if path.exists() else ""

    def keep_failed(self, stage: str, reason: str) -> None:
        """Save why a stage failed; an empty reason deletes it."""
        path = self._failed(stage)
        if reason:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reason)
        else:
            path.unlink(missing_ok=True)

    def seeds(self, stage: Stage) -> list[int]:
        """Return the seeds with which a stage is trained."""
        first = chain(stage, 0)[-1].rpartition("-s")[0]
        paths = (self.home / "trainings").glob(f"{first}-s*.json")
        return sorted(int(path.stem.rpartition("-s")[2]) for path in paths)

    def _curve(self, key: str) -> Path:
        return self.home / "curves" / f"{key}.jsonl"

    def _failed(self, stage: str) -> Path:
        return self.home / "failed" / f"{digest(stage)}.txt"


def chain(stage: Stage, seed: int) -> list[str]:
    """Return the keys of a stage's trainings: digests of command, preset and earlier trainings, with the seed."""
    return [f"{name}-s{seed}" for name in _names(stage)]


def measure_key(key: str, command: str) -> str:
    """Return the key of a measure of the model of `key`."""
    return f"{key}-{digest(tidy(command))}"


def _names(stage: Stage) -> Iterator[str]:
    before = ""
    for command in stage.train:
        preset = flag(command, "--preset")
        named = () if preset is None else (digest(presets.preset(preset).text),)
        before = digest(before, tidy(command), *named)
        yield before


def _line(point: Point) -> str:
    return json.dumps([point.step, round(point.seconds, 2), point.value]) + "\n"


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


def _write(path: Path, value: dict[str, Any]) -> None:
    """Write atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)
