"""Types of what a checkpoint records: of a model, how it was trained; of a training state, what it resumes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from composer.registry.json_types import misfit

_Counts = dict[str, int]


class SpecData(TypedDict, total=False):
    """A SequenceSpec as JSON."""

    kind: str
    size: int
    end: int | None
    conditions: dict[str, list[str]]
    groups: list[tuple[str, int, int, int, int]]
    features: list[tuple[str, int]]


_Origin = TypedDict("_Origin", {"from": dict[str, Any] | None}, total=False)


class ModelRecord(_Origin, total=False):
    """How a model was trained; models of other versions may lack entries, and have others.

    Every entry that the program reads is declared here or in TrainingRecord, so that its type is checked.
    """

    kind: str
    finished: bool
    reason: str
    data: list[str]
    digest: str
    split: dict[str, Any]
    augmented: bool
    pieces: _Counts
    counted: _Counts
    usual_length: int
    refused: _Counts
    unreadable: int
    duplicates: int
    moved: int
    copies: int
    losses: _Counts
    training: str
    phase: int
    update: int
    updates: int
    best: float | None
    best_update: int
    reported: float | None
    unit: str
    history: list[tuple[int, float | None, float | None]]
    seconds: float
    settings: dict[str, Any]
    device: str
    processes: int
    precision: str
    threads: int | None
    default_temp: Any  # checked by `default_temperature`, also for its range


class ProgressData(TypedDict, total=False):
    """How far a training has come; see `Progress`."""

    phase: int
    phase_updates: int
    update: int
    best: float | None
    best_update: int
    reported: float | None
    validations_since_best: int
    seconds: float
    max_rows: int
    history: list[tuple[int, float | None, float | None]]


class SplitData(TypedDict):
    """Shares and files of the splits; see `SplitSettings`."""

    valid: float
    test: float
    valid_files: list[str]
    test_files: list[str]
    listing: str | None


_TrainingFacts = TypedDict("_TrainingFacts", {"from": dict[str, Any] | None})


class _LaterFacts(TypedDict, total=False):
    """What the states of earlier versions may lack."""

    replace_output: bool
    state: Any


class TrainingRecord(_TrainingFacts, _LaterFacts):
    """What a training resumes with, beside the entries of a model."""

    data: list[str]
    split: SplitData
    augmented: bool
    settings: dict[str, Any]
    progress: ProgressData
    encoded: str
    output: str | None


def first_misfit(spec: Any, record: Mapping[str, Any]) -> str | None:
    """Return the first entry of a header's `spec` or `record` that is missing or of a wrong type; None if all fit."""
    found = misfit(spec, SpecData, "spec") or misfit(record, ModelRecord, "record")
    if found is None and record.get("kind") == "training":
        found = misfit(record, TrainingRecord, "record")
    return found
