"""`-o key=value` and `--set key=value` into the frozen dataclass of a plugin, by the types of its fields."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, TypeVar

from composer.api import OptionError

T = TypeVar("T")

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def parse(kind: type[T], pairs: Sequence[str], owner: str = "") -> T:
    """A value of the dataclass `kind` from `key=value` pairs; `owner` names the plugin. Raises OptionError.

    Without an owner they are the flags of a command line, and named so.
    """
    types = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals:
            raise OptionError(f"`{pair}` sets nothing", "write it as key=value")
        if key not in types:
            raise OptionError(f"{owner} has no option `{key}`", _choices(key, list(types)))
        what = f"{owner}'s `{key}`" if owner else f"--{key.replace('_', '-')}"
        values[key] = _value(types[key], text.strip(), what)
    return kind(**values)


def restore(kind: type[T], data: Mapping[str, Any], owner: str) -> T:
    """A value of `kind` from the JSON in a checkpoint; lists become tuples. Raises OptionError for unknown keys."""
    unknown = set(data) - {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise OptionError(f"{owner} has no option `{sorted(unknown)[0]}`", "it was saved by another version of it")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def _value(kind: Any, text: str, what: str) -> Any:
    """`text` as a value of the annotation `kind`: bool, int, float, str, a Literal, a tuple of one type, or None."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {UnionType, typing.Union}:
        if text.lower() in {"", "none"} and NoneType in arguments:
            return None
        return _value(next(kind for kind in arguments if kind is not NoneType), text, what)
    if origin is typing.Literal:
        if text not in arguments:
            raise OptionError(f"{what} cannot be `{text}`", _choices(text, [str(choice) for choice in arguments]))
        return text
    if origin is tuple:
        try:
            return tuple(_value(arguments[0], part, what) for part in text.split(",") if part)
        except OptionError:
            key = what.rpartition(" ")[2].strip("`")
            bare = ",".join(part for part in (piece.strip(" []()'\"") for piece in text.split(",")) if part)
            raise OptionError(f"{what} cannot be `{text}`", f"write it as {key}={bare}, with commas alone") from None
    try:
        return _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        wanted = {bool: "on or off", int: "a whole number", float: "a number"}.get(kind, str(kind))
        raise OptionError(f"{what} cannot be `{text}`", f"give {wanted}") from None


def _choices(given: str, known: list[str]) -> str:
    if not known:
        return "it has none"
    near = get_close_matches(given, known, 1)
    return f"did you mean `{near[0]}`?" if near else "it can be " + ", ".join(known)
