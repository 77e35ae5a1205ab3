"""Names in checkpoints and training states of earlier versions, and what they are called now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RECORD = {"step": "update", "steps": "updates", "best_step": "best_update", "stream": "state"}
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "settings": {
        "batch": "batch_size",
        "length": "seq_length",
        "max_steps": "max_updates",
        "optimiser": "optimizer",
        "clip": "max_grad_norm",
        "average": "ema",
        "stream": "contiguous",
    },
    "progress": {
        "done": "phase_updates",
        "step": "update",
        "best_step": "best_update",
        "stale": "validations_since_best",
        "rows": "max_rows",
    },
    "from": {"step": "update"},
}
"""By the entry of the training record that holds them."""

STATE_ARRAYS = {"optimiser": "optimizer", "average": "ema", "stream": "state"}
"""First parts of the names of arrays in a training state."""


_WITH_CONDITIONS = frozenset({"abc", "grid", "pianoroll"})
"""Representations that had an option `conditions`, which is an option of the training now; the spec has its values."""

_FORMER_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "grid": {"offgrid": "refuse"},
    "text": {"line_numbers": "keep"},
}
"""Options, by representation, whose defaults were others when a checkpoint that does not record them was made."""


def current_options(representation: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a checkpoint's representation without those that it no longer has.

    Options that it does not record keep the values that they had by default then.
    """
    dropped = {"conditions"} if representation in _WITH_CONDITIONS else set[str]()
    kept = {name: value for name, value in options.items() if name not in dropped}
    return {**_FORMER_DEFAULTS.get(representation, {}), **kept}


def current_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the training record of a checkpoint with the names of today; current names stay."""
    found = _renamed(record, _RECORD)
    for entry, names in _RENAMED.items():
        if isinstance(found.get(entry), Mapping):
            found[entry] = _renamed(found[entry], names)
    return found


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}
