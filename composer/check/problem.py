"""Problems in music files, and how repeated ones are merged."""

from __future__ import annotations

import re
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


def counted(count: int, phrase: str) -> str:
    """Return `count` with a phrase for what there is, whose plural noun becomes singular if it is 1."""
    return f"{count:,} {phrase if count != 1 else _PLURAL.sub(lambda match: match[0][:-1], phrase, count=1)}"


_PLURAL = re.compile(r"\b(notes|tracks|messages|events|bytes|elements|lines|changes|jumps)\b")
