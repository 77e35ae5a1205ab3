"""Plain data is checked against annotations, and the first place that does not fit is named."""

from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from composer.registry.json_types import misfit


class Facts(TypedDict, total=False):
    count: int
    names: list[str]


class Complete(TypedDict):
    name: str


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, bool), (3, int), (3, float), (0.5, float), ("a", str), (None, int | None), (2, int | None),
        ("b", Literal["a", "b"]), ([1, 2], tuple[int, ...]), ((1, 2), tuple[int, int]), ([], list[str]),
        ({"a": [1]}, dict[str, list[int]]), ({"names": ["a"], "other": object}, Facts), ({"name": ""}, Complete),
        (object(), Any), ("a", Path), (2**64 - 1, int),
    ],
)  # fmt: skip
def test_fits(value, kind):
    assert misfit(value, kind, "x") is None


@pytest.mark.parametrize(
    ("value", "kind", "place"),
    [
        (1, bool, "x"), (True, int, "x"), (0.5, int, "x"), (2**64, int, "x"), (10**400, float, "x"),
        (float("nan"), float, "x"), (float("inf"), float, "x"), (True, float, "x"), (1, str, "x"), ("", None, "x"),
        ("c", Literal["a", "b"], "x"), ([], Literal["a"], "x"), ("ab", tuple[str, ...], "x"),
        ([1, "2"], tuple[int, ...], "x.1"), ([1], tuple[int, int], "x"), ({}, list[str], "x"),
        ([], dict[str, int], "x"),
        ({"a": {"b": None}}, dict[str, dict[str, int]], "x.a.b"), ({"count": "1"}, Facts, "x.count"),
        ({"names": [None]}, Facts, "x.names.0"), ({}, Complete, "x.name"), ([], Complete, "x"),
    ],
)  # fmt: skip
def test_misfits(value, kind, place):
    assert misfit(value, kind, "x") == place
