"""What a training began with, from the state beside its checkpoint, so that it can go on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from composer.api import CheckpointError, Representation
from composer.core import checkpoint
from composer.core.checkpoint import Header
from composer.core.split import Split


def state_path(path: Path) -> Path:
    """Where the training state of the checkpoint at `path` is kept."""
    return path.with_name(f"{path.name.removesuffix('.safetensors')}.training.safetensors")


def saved_header(path: Path) -> Header:
    """The header of the training state beside the checkpoint at `path`.

    Its `config` and `record["settings"]` are those that training began with; `began` says the same of the data. Raises
    CheckpointError where there is none.
    """
    if not state_path(path).is_file():
        raise CheckpointError(f"there is no training to go on with beside {path}", "train without --resume")
    return checkpoint.read_header(state_path(path))


@dataclass(frozen=True, slots=True)
class Began:
    """What `encoding.prepare` was given when a training began; `fitted` where it was a fine-tuning."""

    arguments: tuple[str, ...]
    split: Split
    augment: bool
    fitted: bool


def began(header: Header, representation: Representation) -> Began:
    """What the training with this state began with, its arguments such that they hold in any folder.

    A `representation` that was not fitted to these pieces, but came with a checkpoint, is restored.
    """
    record = header.record
    fitted = record["from"] is not None
    if fitted:
        representation.restore(header.state)
    return Began(tuple(record["data"]), Split.from_json(record["split"]), record["augmented"], fitted)
