"""Parse `-O key=value` and `--set key=value` into the frozen dataclass of a plugin, by the types of its fields."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, TypeVar

from composer.api import OptionError
from composer.api.errors import suggest
from composer.api.fields import example, invalid_value, name_on_command_line
from composer.registry.json_types import misfit

T = TypeVar("T")

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def parse(kind: type[T], pairs: Sequence[str], owner: str = "", flag: str = "--set") -> T:
    """Return a value of the dataclass `kind` from `key=value` pairs of `flag`; `owner` names the plugin.

    Raises OptionError; without an owner the errors name the fields as flags of a command line.
    """
    types = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            shown = example(fields[key], flag) if key in fields else ""
            raise invalid_value(flag, pair, f"use KEY=VALUE{shown}")
        if key not in types:
            raise OptionError(f"{owner} has no option '{key}'", suggest(key, list(types)))
        what, shown = (f"`{key}`", example(fields[key], flag)) if owner else (name_on_command_line(fields[key]), "")
        values[key] = convert(types[key], text.strip(), what, fields[key].metadata.get("parse"), shown)
    return kind(**values)


def restore(kind: type[T], data: Mapping[str, Any], owner: str) -> T:
    """Return a value of `kind` from the JSON in a checkpoint; lists become tuples.

    Raises OptionError for unknown keys, and for values that do not have the types of the fields.
    """
    unknown = set(data) - {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise OptionError(
            f"{owner} has no option `{sorted(unknown)[0]}`",
            "the file was saved with another version of composer or the plugin",
        )
    types = typing.get_type_hints(kind)
    for key, value in data.items():
        if misfit(value, types[key], key) is not None:
            raise OptionError(f"{owner}: invalid value for `{key}`: {value!r}", "the file may be damaged")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def convert(kind: Any, text: str, what: str, parse: Callable[[str], Any] | None = None, example: str = "") -> Any:
    """Return `text` as a value of the annotation `kind`, by `parse` where a field has one of its own.

    The annotation is bool, int, float, str, Path, a Literal, a tuple of one type, or one of these or None. Raises
    OptionError, which names `what` and ends in `example`.
    """
    if parse is not None:
        return parse(text)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {UnionType, typing.Union}:
        if text.lower() in {"", "none"} and NoneType in arguments:
            return None
        return convert(next(kind for kind in arguments if kind is not NoneType), text, what, None, example)
    if origin is typing.Literal:
        if text not in arguments:
            raise invalid_value(what, text, suggest(text, [str(each) for each in arguments]))
        return text
    if origin is tuple:
        try:
            return tuple(convert(arguments[0], part, what) for part in text.split(",") if part)
        except OptionError:
            bare = ",".join(part for part in (piece.strip(" []()'\"") for piece in text.split(",")) if part)
            raise invalid_value(what, text, f"use {bare}, with commas only") from None
    try:
        return _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        expected = {bool: "on or off", int: "a whole number", float: "a number"}.get(kind, str(kind))
        raise invalid_value(what, text, f"use {expected}{example}") from None


def as_option_value(value: object) -> str:
    """Return an option's value as it is written on the command line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
