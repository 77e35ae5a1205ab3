"""Contract test for the dataclasses of options of a plugin: values outside the range of a field are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from composer.api.errors import ComposerError
from composer.api.testing.checks import expect

__all__ = ["check_ranges_enforced", "values_out_of_range"]


def check_ranges_enforced(owner: type[Any], *names: str) -> None:
    """Test that the dataclasses `names` of a plugin's class refuse values that their fields exclude.

    These are numbers below a `minimum` or above a `maximum`. Raises AssertionError, which names field and value.
    """
    for name in names:
        kind = getattr(owner, name)
        for field, value in values_out_of_range(kind):
            try:
                kind(**{field: value})
            except ComposerError:
                continue
            expect(
                False,
                f"`{name}` accepts {field}={value}, which is out of the range of the field: call "
                "`composer.api.fields.check_ranges` in its `__post_init__`",
            )


def values_out_of_range(kind: type[Any]) -> Iterator[tuple[str, int | float]]:
    """Yield the names of fields of a dataclass with values below their `minimum` and above their `maximum`."""
    for field in dataclasses.fields(kind):
        low, high = field.metadata.get("minimum"), field.metadata.get("maximum")
        if low is not None:
            yield from ((field.name, low - 1), (field.name, low - 5))
        if high is not None:
            yield from ((field.name, high + 1), (field.name, 2 * high + 5))
