"""The checks of plugins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from composer.api import PluginError, Score
from composer.api.problem import Check, Problem, Severity


def plugin_problems(checks: Sequence[Check], of: Literal["score", "data"], value: Score | bytes) -> Iterator[Problem]:
    """Yield what `checks` find in a score or in the bytes of a file; a check that fails is a warning."""
    for check in checks:
        find = getattr(check, of)
        if find is None:
            continue
        try:
            yield from find(value)
        except PluginError as error:
            yield Problem(0, 0, "failed check", error.message, Severity.WARNING)
