"""Pieces as lines of JSON, in which they wait on disk: data only, so that reading them back runs no code.

Strings, numbers, bytes, fractions and containers of them are written as they are. A dataclass or named tuple is written
by its name and fields, and is made again without calling it. Only classes that are already imported are looked up.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from operator import attrgetter
from typing import Any

from composer.api import Piece

_PLAIN = frozenset({str, int, float, bool, type(None)})
_PIECE = ("content", "title", "source", "labels", "losses")


class NotData(TypeError):
    """A value that is not data, such as a function."""


def to_line(value: object) -> bytes:
    """Return `value` as a line of JSON in ASCII. Raises NotData."""
    try:
        return json.dumps(_pack(value), separators=(",", ":"), check_circular=False).encode("ascii") + b"\n"
    except RecursionError as error:
        raise NotData("a value that is nested too deep") from error


def from_line(line: bytes) -> Any:
    """Return what `to_line` was given. Raises ValueError for a damaged or incomplete line."""
    if not line.endswith(b"\n"):
        raise ValueError("an incomplete line")
    try:
        return _unpack(json.loads(line))
    except (TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"a damaged line: {error}") from error


def _pack(value: Any) -> Any:
    """Return `value` as JSON: a tuple as a list, anything else that JSON lacks as an object with one key."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is Piece:
        return {"p": [_pack(getattr(value, name)) for name in _PIECE]}
    if kind is tuple:
        return value if _PLAIN.issuperset(map(type, value)) else [_pack(each) for each in value]
    if (pack := _PACK.get(kind)) is not None:
        return {pack[0]: pack[1](value)}
    names = _field_names(kind)
    if names is None or _class_named(kind.__module__, kind.__qualname__) is not kind:
        raise NotData(f"{kind.__qualname__} is not data")
    return {"c": [kind.__module__, kind.__qualname__, *(_pack(getattr(value, name)) for name in names)]}


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value) if _PLAIN.issuperset(map(type, value)) else tuple(map(_unpack, value))
    if not isinstance(value, dict):
        return value
    ((key, content),) = value.items()
    if key == "p":
        return Piece(*map(_unpack, content))
    if key == "c":
        module, name, *fields = content
        return _made(_class_named(module, name), [_unpack(each) for each in fields])
    return _UNPACK[key](content)


def _pack_all(values: Any) -> list[Any]:
    return [_pack(each) for each in values]


def _pack_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _unpack_pairs(pairs: Any) -> dict[Any, Any]:
    return {_unpack(key): _unpack(value) for key, value in pairs}


_PACK: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    list: ("l", _pack_all),
    set: ("s", _pack_all),
    frozenset: ("f", _pack_all),
    dict: ("d", lambda value: [[_pack(key), _pack(each)] for key, each in value.items()]),
    bytes: ("b", _pack_bytes),
    Fraction: ("q", lambda value: [value.numerator, value.denominator]),
}
_UNPACK: Mapping[str, Callable[[Any], Any]] = {
    "l": lambda values: [_unpack(each) for each in values],
    "s": lambda values: {_unpack(each) for each in values},
    "f": lambda values: frozenset(map(_unpack, values)),
    "d": _unpack_pairs,
    "b": lambda text: base64.b64decode(text, validate=True),
    "q": lambda value: Fraction(*value),
}


def _field_names(kind: Any) -> tuple[str, ...] | None:
    """Return the names of the fields of a dataclass or named tuple; None for other classes."""
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return kind._fields if issubclass(kind, tuple) and hasattr(kind, "_fields") else None


def _class_named(module: str, name: str) -> Any:
    """Return the class of that name in a module that is imported. Raises LookupError, AttributeError."""
    return attrgetter(name)(sys.modules[module])


def _made(kind: Any, values: list[Any]) -> Any:
    """Return an instance of a dataclass or named tuple, without calling its class."""
    names = _field_names(kind) if isinstance(kind, type) else None
    if names is None or len(names) != len(values):
        raise ValueError(f"{kind} is no class with {len(values)} fields")
    if issubclass(kind, tuple):
        return tuple.__new__(kind, values)
    made = object.__new__(kind)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(made, name, value)
    return made
