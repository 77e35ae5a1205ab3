"""The default temperature of a model: its pieces are sampled at it if the user gives no other.

It is an entry of the training record. Provenance records the temperature that was used, so a change of the default does
not change what is reproduced.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from composer.api import CheckpointError
from composer.api.sampling.params import MAX_TEMPERATURE
from composer.checkpoints import file as checkpoint_file

ENTRY = "default_temp"


def default_temperature(record: Mapping[str, Any]) -> float:
    """Return the default temperature in a training record, 1 if there is none. Raises CheckpointError."""
    value = record.get(ENTRY)
    if value is None:
        return 1.0
    if type(value) not in (int, float) or not 0 <= value <= MAX_TEMPERATURE:  # also for nan, which is in no range
        raise CheckpointError(
            f"the checkpoint has an invalid default temperature: {value!r}", "train it again, or copy it again"
        )
    return float(value)


def set_default_temperature(path: Path, temperature: float) -> None:
    """Change the default temperature of the checkpoint at `path`, and nothing else. Raises CheckpointError."""
    saved = checkpoint_file.load(path, half=True).with_record(**{ENTRY: temperature})
    default_temperature(saved.header.record)
    checkpoint_file.save(path, saved)
