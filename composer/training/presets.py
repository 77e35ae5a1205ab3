"""Presets: options, model and settings that reproduce published systems.

A preset is a file `NAME.toml` in `composer/presets`, or one that a plugin adds; a comment after each value gives its
source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from composer.api import ComposerError, PluginError, UsageError
from composer.api.errors import suggest
from composer.data.splits import SplitSettings
from composer.registry import plugins
from composer.registry.guard import AUTHOR_HINT
from composer.registry.options import as_option_value
from composer.system.warnings import warn_once

FOLDER = Path(__file__).parent.parent / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """Options of the representation, settings of the model and of training, and shares of the split.

    `command` trains it, `gen_command` generates with it, `text` is the whole file. `requires` has the labels that
    its model is conditioned on, each with a hint how pieces get it. `distribution` is that of the plugin, if any.
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
    distribution: str = ""

    def __post_init__(self) -> None:
        for name in ("options", "model_settings", "training", "split", "requires"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"`{name}` is not a table")
        SplitSettings(**self.split)


def preset(name: str) -> Preset:
    """Return the preset called `name`. Raises UsageError with the nearest names if there is none, ComposerError."""
    built_in = _built_in()
    if name in built_in:
        try:
            return parse(name, built_in[name])
        except (OSError, ValueError, TypeError) as error:
            message = f"invalid preset file {name}.toml: {' '.join(str(error).split())}"
            raise ComposerError(message, "fix it, or reinstall this program") from error
    added = plugins.extension("presets", name, built_in)
    if added is None:
        raise UsageError(f"unknown preset '{name}'", suggest(name, preset_names(), matches=3, cutoff=0.4))
    try:
        return replace(parse(name, added.value), distribution=added.distribution)
    except (OSError, ValueError, TypeError) as error:
        message = f"invalid preset '{name}' of {added.distribution}: {' '.join(str(error).split())}"
        raise PluginError(message, AUTHOR_HINT) from error


def preset_names() -> list[str]:
    """Return the names of all presets, sorted, those of plugins last."""
    built_in = _built_in()
    return [*built_in, *plugins.extensions("presets", built_in)]


def all_presets(report: Callable[[str], object] = warn_once) -> Iterator[Preset]:
    """Yield all presets, in the order of their names; `report` gets a line for each that is broken."""
    for name in preset_names():
        try:
            yield preset(name)
        except PluginError as error:
            report(error.message)


def parse(name: str, source: str | Path) -> Preset:
    """Return a preset from its text or file. Raises OSError, ValueError, TypeError."""
    text = source.read_text("utf-8") if isinstance(source, Path) else source
    return Preset(name, text=text, **tomllib.loads(text))


def _built_in() -> dict[str, Path]:
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"), key=lambda path: path.stem)}


def as_pairs(values: Mapping[str, Any]) -> list[str]:
    """Return `values` as on the command line: `key=value`."""
    return [f"{key}={as_option_value(value)}" for key, value in values.items()]
