"""Presets: options, model and settings that reproduce published systems.

A preset is a file `NAME.toml` in `composer/presets`; a comment after each value gives its source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composer.api import ComposerError, UsageError
from composer.api.errors import suggest
from composer.data.splits import SplitSettings
from composer.registry.options import as_option_value

FOLDER = Path(__file__).parent.parent / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """Options of the representation, settings of the model and of training, and shares of the split.

    `command` trains it, `gen_command` generates with it, `text` is the whole file. `requires` has the labels that
    its model is conditioned on, each with a hint how pieces get it.
    """

    name: str
    summary: str
    representation: str
    model: str
    command: str
    gen_command: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    augment: bool = False
    requires: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("options", "model_settings", "training", "split", "requires"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"`{name}` is no table")
        SplitSettings(**self.split)


def preset(name: str) -> Preset:
    """Return the preset called `name`. Raises UsageError with the nearest names if there is none."""
    path = FOLDER / f"{name}.toml"
    known = preset_names()
    if name not in known:
        raise UsageError(f"unknown preset '{name}'", suggest(name, known, matches=3, cutoff=0.4))
    try:
        text = path.read_text("utf-8")
        return Preset(name, text=text, **tomllib.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise ComposerError(
            f"invalid preset file {path.name}: {' '.join(str(error).split())}", "fix it, or reinstall this program"
        ) from error


def preset_names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def all_presets() -> Iterator[Preset]:
    """Yield all presets, by name."""
    return map(preset, preset_names())


def as_pairs(values: Mapping[str, Any]) -> list[str]:
    """Return `values` as on the command line: `key=value`."""
    return [f"{key}={as_option_value(value)}" for key, value in values.items()]
