"""The record of a run that composes many pieces: what was asked for, and how far it came, kept beside its output.

By it, `--resume` goes on with the very same run, or says what is different.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import ComposerError, UsageError
from composer.checkpoints import file as checkpoint_file

__all__ = ["Record"]

FLAGS = {
    "primer": "another opening",
    "tune": "another tune",
    "model": "another model",
    "program": "another version of this program",
    "plugins": "another version of a plugin",
    "numpy": "another version of numpy",
    "torch": "another version of torch",
    "labels": "an opening that was labelled otherwise",
    "provenance": "another --no-provenance",
}
"""What differs where it is not the value of an option."""
GROUPS = ("filters", "wishes", "writing")
"""What of a recipe holds options of its own."""
OPTIONS = {"temperature": "temp", "conditions": "condition"}
"""Options that have other names on the command line."""
AGAIN = "give the same options again, or compose all anew with --force"


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept at `path`: what was `asked`, by options, and how many `pieces` and `bytes` of a stream are whole.

    Written whole or not at all, so that it can be read at any time.
    """

    path: Path
    asked: Mapping[str, Any]
    pieces: int = 0
    bytes: int = 0

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record at `path`; None where there is none. Raises ComposerError for one that cannot be read."""
        try:
            found = json.loads(path.read_text("utf-8"))
            return cls(path, dict(found["asked"]), int(found["pieces"]), int(found["bytes"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ComposerError(
                f"cannot read {path}: {error.strerror or error}", "compose anew with --force"
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise ComposerError(f"{path} is not the record of a run", "compose all anew with --force") from error

    def write(self) -> None:
        """Keep it. Raises ComposerError."""
        told = {"asked": self.asked, "pieces": self.pieces, "bytes": self.bytes}
        checkpoint_file.write_bytes(self.path, json.dumps(told, ensure_ascii=False).encode() + b"\n")

    def remove(self) -> None:
        """Keep it no longer."""
        self.path.unlink(missing_ok=True)

    def check(self, asked: Mapping[str, Any]) -> None:
        """Raise UsageError, which says what differs, where now something else is `asked` for."""
        told, now = _flat(self.asked), _flat(json.loads(json.dumps(asked)))
        for name in {**told, **now}:
            before, given = told.get(name), now.get(name)
            if before == given:
                continue
            if name in FLAGS:
                raise UsageError(f"the run to go on with had {FLAGS[name]}", AGAIN)
            raise UsageError(f"the run to go on with had {_option(name, before)}, not {_option(name, given)}", AGAIN)


def _flat(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, by options alone: each wish, each filter and each way of writing is one."""
    grouped = {name: value for name, value in asked.items() if name in GROUPS and isinstance(value, Mapping)}
    rest = {name: value for name, value in asked.items() if name not in grouped}
    return {**rest, **{name: value for group in grouped.values() for name, value in group.items()}}


def _option(name: str, value: object) -> str:
    """An option as it is written on the command line."""
    flag = f"--{OPTIONS.get(name, name).replace('_', '-')}"
    if value is None or value is False:
        return f"no {flag}"
    return flag if value is True else f"{flag} {value}"
