"""A training run: everything that `loop.train` needs, set before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import composer
from composer.api import CheckpointError, Model, Representation, StepKind
from composer.checkpoints.baseline import pack_baseline
from composer.checkpoints.file import Checkpoint
from composer.checkpoints.training_melodies import pack_melodies
from composer.data.batches import BPTTBatches
from composer.data.dataset import Dataset
from composer.distributed.group import ProcessGroup
from composer.training.baseline import MODEL, fit_baseline
from composer.training.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTIGUOUS_VALIDATION_ROWS = 16
"""Rows of a contiguous validation text; each starts without context."""


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """Everything that training needs. `representation` is fitted, and `data` was prepared with it.

    `path` is the checkpoint to write, `device` a result of `device.resolve`. `origin` is a checkpoint to fine-tune,
    `output` the file for a copy of the final model, which replaces that of another training if `replace_output`, and
    `default_temp` the temperature that the model is sampled at by default. `stop` is asked after every update. The
    processes of `group` train together, with runs that may differ in `device` and `stop` only; the main one writes to
    `path` and `output`.
    """

    model: Model
    config: Any
    representation: Representation
    data: Dataset
    path: Path
    settings: Settings = field(default_factory=Settings)
    device: str = "cpu"
    resume: bool = False
    origin: Checkpoint | None = None
    output: Path | None = None
    default_temp: float | None = None
    stop: Callable[[], bool] = lambda: False
    group: ProcessGroup = field(default_factory=ProcessGroup)
    replace_output: bool = False

    @cached_property
    def train_batches(self) -> BPTTBatches:
        """The batches of the training data."""
        return self._batches("train", self.settings.batch_size, self.settings.seed)

    @cached_property
    def valid_batches(self) -> BPTTBatches:
        """The batches of the validation data."""
        settings = self.settings
        rows = min(settings.batch_size, CONTIGUOUS_VALIDATION_ROWS) if settings.contiguous else settings.batch_size
        return self._batches("valid", rows)

    def _batches(self, split: str, rows: int, seed: int | None = None) -> BPTTBatches:
        settings, data = self.settings, self.data.splits[split]
        return BPTTBatches(
            data, self.data.spec, batch_size=rows, seq_length=settings.seq_length, align=settings.align, seed=seed,
            contiguous=settings.contiguous,
        )  # fmt: skip

    @cached_property
    def snapshot_updates(self) -> frozenset[int]:
        """The updates after which to save a snapshot. Epochs of pretraining count too."""
        settings, per_epoch = self.settings, self.train_batches.batches_per_epoch
        return frozenset((*settings.snapshots, *(epoch * per_epoch for epoch in settings.snapshot_epochs)))

    @cached_property
    def extra_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Beside the weights of a checkpoint: melodies of the training data and `origin`'s, and a baseline.

        A model that is one itself has none.
        """
        is_baseline = self.model.name == MODEL
        baseline = None if is_baseline else fit_baseline(self.data, self.origin, contiguous=self.settings.contiguous)
        return {**pack_melodies(self.data.melodies, self.origin), **pack_baseline(baseline)}

    @cached_property
    def usual_length(self) -> int:
        """The length of the longer training pieces in steps; cached, since every save records it."""
        return self.data.splits["train"].usual_length

    @property
    def has_validation(self) -> bool:
        """Whether there are validation pieces."""
        return self.data.splits["valid"].count > 0

    @property
    def unit(self) -> str:
        """The unit in which validation values are reported."""
        unit = "bits" if self.data.spec.kind is StepKind.TOKENS else "nats"
        return f"{unit} per {self.representation.step_name}"

    def in_unit(self, nats: float) -> float:
        """Convert nats per step to that unit."""
        return nats / math.log(2) if self.data.spec.kind is StepKind.TOKENS else nats

    def check_origin(self) -> None:
        """Raise CheckpointError if the checkpoint to fine-tune has another vocabulary than the data."""
        if self.origin is not None and self.origin.header.spec != self.data.spec:
            raise CheckpointError(
                "the vocabulary of the checkpoint to fine-tune differs from that of these pieces",
                "leave out --from to train a new model",
            )

    def reproducibility_facts(self) -> Mapping[str, Any]:
        """Return everything that decides the weights, by name."""
        return {
            "version of composer": composer.__version__,
            "representation": [
                self.representation.name, self.representation.version, asdict(self.representation.options)
            ],
            "conditions": {name: list(values) for name, values in self.data.spec.conditions.items()},
            "pieces": self.data.encoded_digest,
            "model": [self.model.name, self.model.version, asdict(self.config)],
            "settings": asdict(self.settings),
            "--resume option": self.resume,
        }  # fmt: skip
