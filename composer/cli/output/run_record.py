"""The record of a run that generates many pieces, kept beside its output, so that `--resume` continues the same run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composer.api import ComposerError, UsageError
from composer.cli.gen.recipe import current_names
from composer.cli.output.files import save
from composer.registry.options import as_option_value
from composer.system.files import read_regular

SUFFIX = ".composer"
"""That of the hidden file, after the name of the output."""
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
MAX_BYTES = 256 * 2**20
"""Size of a record; that of a run that replaces ten million numbered files is of about this size."""
START_OVER_HINT = "start over with --force instead of --resume"
SAME_OPTIONS_HINT = f"use the same options, or {START_OVER_HINT}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The `recipe` of a run, and how many `pieces` and `bytes` of its one file are complete.

    `part` is the name of that file during the run. `replaces` says whether --force was used; `old` has the times of
    change, in ns, of the numbered files that it replaces. The record is replaced at once, so that it can be read at any
    time.
    """

    path: Path
    recipe: Mapping[str, Any]
    pieces: int = 0
    bytes: int = 0
    part: str = ""
    replaces: bool = False
    old: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> RunRecord | None:
        """Return the record at `path`, or None. Raises ComposerError if it cannot be read."""
        try:
            found = json.loads(read_regular(path, MAX_BYTES).decode("utf-8"))
            recipe = found["recipe"] if "recipe" in found else found["asked"]  # the name in older versions
            name = path.name.removeprefix(".").removesuffix(SUFFIX)
            part = str(found.get("part", f"{name}.part"))  # the name in older versions
            if part and not re.fullmatch(rf"{re.escape(name)}\.part|{_part_pattern(name)}", part):
                raise ValueError
            old = {int(number): int(time) for number, time in found.get("old", {}).items()}
            pieces, size = int(found["pieces"]), int(found["bytes"])
            return cls(path, current_names(recipe), pieces, size, part, bool(found.get("replaces")), old)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ComposerError(f"cannot read {path}: {error.strerror or error}", START_OVER_HINT) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ComposerError(f"{path} is not the record of a run", START_OVER_HINT) from error

    def write(self) -> None:
        """Save the record. Raises ComposerError."""
        found = {
            "recipe": self.recipe, "pieces": self.pieces, "bytes": self.bytes, "part": self.part,
            "replaces": self.replaces, "old": self.old,
        }  # fmt: skip
        save(self.path, json.dumps(found, ensure_ascii=False).encode() + b"\n", replace=True)

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


def new_part_name(name: str) -> str:
    """Return a random name for the file `name` during a run, which no other file has."""
    return f".{name}.{os.urandom(8).hex()}.part"


def _part_pattern(name: str) -> str:
    return rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.part"


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
