"""A problem in a music file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


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


def merge_repeated(problems: Collection[Problem], kinds: Collection[str], place: str) -> Iterator[Problem]:
    """Yield `problems`, those of `kinds` with the same message only once, with how many more the `place` has."""
    counts = Counter(each.message for each in problems if each.kind in kinds)
    for each in problems:
        if each.kind not in kinds:
            yield each
        elif count := counts.pop(each.message, 0):
            more = f", and {count - 1:,} more in this {place}" if count > 1 else ""
            yield replace(each, message=each.message + more)
