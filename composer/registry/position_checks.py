"""Checks of plans and position features that plugins return; they work as those of `result_checks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from composer.registry.result_checks import InvalidResult, expect, shown


def feature_row(value: Any, *_: Any) -> Any:
    """Check the position features of one step."""
    if type(value) is not tuple or not all(type(each) is int and each >= 0 for each in value):
        raise InvalidResult(f"position features are a tuple of ints from 0, not {shown(value)}")
    return value


def feature_rows(value: Any, representation: Any, *_: Any) -> Any:
    """Return the position features of a piece as a list, one tuple for each step."""
    if not isinstance(value, Iterable):
        raise InvalidResult(f"it returned {shown(value)}, which is not an iterable of tuples")
    rows, size = list(value), len(representation.spec.features)
    for row in rows:
        if len(feature_row(row)) != size:
            raise InvalidResult(f"a step has {len(row)} position features, but the spec {size}")
    return rows


def truth(value: Any, *_: Any) -> Any:
    """Check a bool."""
    return expect(value, bool, "a bool")


def optional_text(value: Any, *_: Any) -> Any:
    """Check a text, which may be None."""
    return value if value is None else expect(value, str, "a str or None")


def weights(value: Any, *_: Any) -> Any:
    """Check weights above 0 by text."""
    expect(value, Mapping, "a mapping")
    for text, weight in value.items():
        if not isinstance(text, str) or type(weight) is not int or weight < 1:
            raise InvalidResult(f"plans are weights (int above 0) by str, not {shown(text)}: {shown(weight)}")
    return value
