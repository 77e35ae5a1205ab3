"""Problems in music files, and the checks of plugins that find them, for `composer check`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from composer.api.score import Score

__all__ = ["Check", "Problem", "Severity"]


class Severity(StrEnum):
    """An error loses music or plays it wrong; a warning is worth a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, its place and severity. `kind` is a category, `message` gives the details.

    `line` and `column` (in characters) count from 1, and are 0 for files without lines, such as MIDI. `tune` is the
    piece's `X:` number or position in the file.
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
        """Line and column, as a sort key."""
        return self.line, self.column


class Check(NamedTuple):
    """A check of music files. `score` finds the problems of one piece, `data` those of the bytes of a file.

    A problem without a line gets that of its tune, if the file has lines.
    """

    name: str
    summary: str
    score: Callable[[Score], Iterable[Problem]] | None = None
    data: Callable[[bytes], Iterable[Problem]] | None = None
