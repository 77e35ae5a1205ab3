"""Published systems by name: the options, model and settings with which each can be trained again.

A preset is a file `NAME.toml` in `composer/presets`, in which a comment after each value says where it comes from.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from composer.api import ComposerError, UsageError
from composer.data.splits import SplitSettings

FOLDER = Path(__file__).parent.parent / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset sets: options of the representation, settings of the model and of training, shares of the split.

    `command` is how it is trained, `gen_command` how its model is heard, `text` the whole file. `requires` are the
    conditions that its pieces must have, with how they come to have them.
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
    """The preset called `name`. Raises UsageError, with the nearest names, where there is none."""
    path = FOLDER / f"{name}.toml"
    known = preset_names()
    if name not in known:
        near = get_close_matches(name, known, 3, 0.4)
        hint = "did you mean " + " or ".join(f"`{each}`" for each in near) + "?" if near else ", ".join(known)
        raise UsageError(f"there is no preset `{name}`", hint)
    try:
        text = path.read_text("utf-8")
        return Preset(name, text=text, **tomllib.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise ComposerError(
            f"the preset file {path.name} cannot be used: {' '.join(str(error).split())}",
            "mend it, or install this program again",
        ) from error


def preset_names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def all_presets() -> Iterator[Preset]:
    """All presets, by name."""
    return map(preset, preset_names())


def as_pairs(values: Mapping[str, Any]) -> list[str]:
    """`values` as a user would write them: `key=value`."""
    return [f"{key}={_as_text(value)}" for key, value in values.items()]


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
