"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "Severity"]


class Severity(StrEnum):
    """An error is music that is lost or plays wrong; a warning is worth a look, and plays all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place. `kind` is a short phrase that counts well, `message` says what exactly.

    `line` and `column` count from 1, a column being a character; both are 0 where a file has no lines, as MIDI has
    none. `tune` names the piece in its file, as its `X:` line or its place does, and `title` is the piece's own.
    """

    line: int
    column: int
    kind: str
    message: str
    severity: Severity = Severity.ERROR
    tune: str = ""
    title: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands, to be sorted by."""
        return self.line, self.column
