"""The record of a run that generates many pieces, kept beside its output, so that `--resume` continues the same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import ComposerError, UsageError
from composer.cli.gen.recipe import current_names
from composer.cli.output.files import save
from composer.registry.options import as_option_value

NAMES = {
    "primer": "primer",
    "tune": "tune",
    "model": "model",
    "program": "version of composer",
    "plugins": "version of a plugin",
    "numpy": "version of numpy",
    "torch": "version of torch",
    "labels": "labels of the primer",
    "rules": "version of the rules",
    "joint": "sampling of whole frames",
    "provenance": "setting of --no-provenance",
}
"""What to call facts that are not the value of an option."""
OPTIONS = {"temperature": "temp", "conditions": "condition"}
"""Facts whose options have another name."""
START_OVER_HINT = "start over with --force instead of --resume"
SAME_OPTIONS_HINT = f"use the same options, or {START_OVER_HINT}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The `recipe` of a run, and how many `pieces` and `bytes` of its one file are complete.

    The file is replaced at once, so that it can be read at any time.
    """

    path: Path
    recipe: Mapping[str, Any]
    pieces: int = 0
    bytes: int = 0

    @classmethod
    def read(cls, path: Path) -> RunRecord | None:
        """Return the record at `path`, or None. Raises ComposerError if it cannot be read."""
        try:
            found = json.loads(path.read_text("utf-8"))
            recipe = found["recipe"] if "recipe" in found else found["asked"]  # the name in older versions
            return cls(path, current_names(recipe), int(found["pieces"]), int(found["bytes"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ComposerError(f"cannot read {path}: {error.strerror or error}", START_OVER_HINT) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ComposerError(f"{path} is not the record of a run", START_OVER_HINT) from error

    def write(self) -> None:
        """Save the record. Raises ComposerError."""
        found = {"recipe": self.recipe, "pieces": self.pieces, "bytes": self.bytes}
        save(self.path, json.dumps(found, ensure_ascii=False).encode() + b"\n")

    def remove(self) -> None:
        """Delete the record."""
        self.path.unlink(missing_ok=True)

    def check(self, recipe: Mapping[str, Any]) -> None:
        """Raise UsageError, which says what differs, if `recipe` is another one."""
        before, now = _flatten(self.recipe), _flatten(json.loads(json.dumps(recipe)))
        for name in {**before, **now}:
            if before.get(name) == now.get(name):
                continue
            if name in NAMES:
                raise UsageError(f"the interrupted run used a different {NAMES[name]}", SAME_OPTIONS_HINT)
            raise UsageError(
                f"the interrupted run was started {_option(name, before)}, not {_option(name, now)}", SAME_OPTIONS_HINT
            )


def _flatten(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return a recipe as options, without groups and without empty values."""
    flat: dict[str, str] = {}
    for name, value in recipe.items():
        grouped = name in ("sampling", "controls", "writing") and isinstance(value, Mapping)
        for key, each in value.items() if grouped else ((name, value),):
            if each not in (None, False, "", [], {}):
                flat[key] = as_option_value(each)
    return flat


def _option(name: str, values: Mapping[str, str]) -> str:
    """Return an option as it was used: `with --top-k 20`, `without --top-k`."""
    flag = f"--{OPTIONS.get(name, name).replace('_', '-')}"
    if name not in values:
        return f"without {flag}"
    return f"with {flag}" if values[name] == "on" else f"with {flag} {values[name]}"
