"""Problems in music files, and how repeated ones are merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from composer.api.problem import Problem, Severity

__all__ = ["Problem", "Severity", "merge_repeated"]


def merge_repeated(problems: Collection[Problem], kinds: Collection[str], place: str) -> Iterator[Problem]:
    """Yield `problems`, those of `kinds` with the same message only once, with how many more the `place` has."""
    counts = Counter(each.message for each in problems if each.kind in kinds)
    for each in problems:
        if each.kind not in kinds:
            yield each
        elif count := counts.pop(each.message, 0):
            more = f", and {count - 1:,} more in this {place}" if count > 1 else ""
            yield replace(each, message=each.message + more)
