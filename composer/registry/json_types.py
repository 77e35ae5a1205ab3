"""Check that plain data, such as the JSON of a checkpoint, has the types of annotations."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, Union

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
"""Integers that numpy and torch can hold."""

_hints = lru_cache(None)(typing.get_type_hints)


def misfit(value: Any, kind: Any, place: str) -> str | None:
    """Return the first place in `value` that does not have the type `kind`, from `place` on; None if all have it.

    `kind` is bool, int, float, str, None, a Literal, a union, or a list, tuple, dict or TypedDict of these; floats are
    finite. A tuple may be a list, as in JSON. What any other annotation means is not known, so that everything fits.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (UnionType, Union):
        return None if any(misfit(value, each, place) is None for each in arguments) else place
    if typing.is_typeddict(kind):
        return _misfit_of_fields(value, kind, place)
    if origin is dict:
        if not isinstance(value, dict):
            return place
        return _first(misfit(each, arguments[1], f"{place}.{name}") for name, each in value.items())
    if origin in (list, tuple):
        return _misfit_of_items(value, arguments, place, any_length=origin is list or arguments[1:] == (...,))
    return None if _is_plain(value, kind) else place


def _misfit_of_fields(value: Any, kind: Any, place: str) -> str | None:
    if not isinstance(value, Mapping):
        return place
    missing = next((name for name in sorted(kind.__required_keys__) if name not in value), None)
    if missing is not None:
        return f"{place}.{missing}"
    return _first(misfit(value[name], each, f"{place}.{name}") for name, each in _hints(kind).items() if name in value)


def _misfit_of_items(value: Any, kinds: tuple[Any, ...], place: str, any_length: bool) -> str | None:
    if not isinstance(value, list | tuple) or not (any_length or len(value) == len(kinds)):
        return place
    each_kind = kinds[:1] * len(value) if any_length else kinds
    return _first(
        misfit(each, kind, f"{place}.{at}") for at, (each, kind) in enumerate(zip(value, each_kind, strict=True))
    )


def _is_plain(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is Literal:
        return value in typing.get_args(kind)
    if kind in (None, NoneType):
        return value is None
    if kind in (bool, str, dict, list):
        return isinstance(value, kind)
    if kind is float and isinstance(value, float):
        return math.isfinite(value)
    if kind in (int, float):
        return isinstance(value, int) and not isinstance(value, bool) and MIN_INTEGER <= value <= MAX_INTEGER
    return True


def _first(places: Iterable[str | None]) -> str | None:
    return next(filter(None, places), None)
