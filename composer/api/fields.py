"""Fields of option dataclasses: help, flags and ranges as metadata, and the checks that are derived from them.

A field's metadata may hold `help`, `flags`, `metavar`, `panel`, `minimum`, `maximum` (either alone, or both), `hint`
(how to give a valid value), `choices` (words for completion, or a function that returns them), `only_choices` (the
value is one of these, or empty), `parse` (text to value), `repeated`, `argument` (its name in the usage line),
`internal` (not on the command line), `recorded` (False: not in a recipe), `recorded_default` (the value that a recipe
without the field means, if it is not the default) and `recorded_range` (False: recipes of older versions have values
out of the range, which are taken if the dataclass has a field `is_recorded` that is true).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field
from typing import Any

from composer.api.errors import OptionError

__all__ = [
    "at_least_one",
    "check_choices",
    "check_ranges",
    "choice",
    "example",
    "flags_of",
    "invalid_setting",
    "invalid_value",
    "name_on_command_line",
    "option",
]


def option(default: Any = MISSING, help: str = "", *flags: str, **metadata: Any) -> Any:  # noqa: A002
    """Return a dataclass field with this metadata; without a long flag among `flags` it is named after the field."""
    return dataclasses.field(default=default, metadata={"help": help, "flags": flags, **metadata})


def choice(choices: tuple[str, ...], help: str) -> Any:  # noqa: A002
    """Return a field that is one of `choices`, or empty for its default; `check_choices` checks it."""
    return option("", help, metavar="CHOICE", choices=choices, only_choices=True)


def flags_of(field: Field[Any]) -> tuple[str, ...]:
    """Return the field's flags, the long one first; a bool that is true by default is turned off by `--no-NAME`."""
    flags: tuple[str, ...] = field.metadata.get("flags", ())
    if any(flag.startswith("--") for flag in flags):
        return flags
    negated = "no-" if field.default is True else ""
    return (f"--{negated}{field.name.replace('_', '-')}", *flags)


def name_on_command_line(field: Field[Any]) -> str:
    """Return what a user calls the field: its long flag, or the name of an argument."""
    return field.metadata.get("argument") or flags_of(field)[0]


def check_ranges(value: Any, flag: str = "") -> None:
    """Raise OptionError for the first field of a dataclass that is below its `minimum` or above its `maximum`.

    Without `flag`, the fields are options of a command. With `-O` or `--set`, they are options of a representation or
    settings of a model, which are set by that flag.
    """
    is_recorded = getattr(value, "is_recorded", False)
    for field in dataclasses.fields(value):
        if is_recorded and not field.metadata.get("recorded_range", True):
            continue
        given, low, high = getattr(value, field.name), field.metadata.get("minimum"), field.metadata.get("maximum")
        if not isinstance(given, int | float):
            continue
        if (low is None or low <= given) and (high is None or given <= high):
            continue
        kind = "whole number" if isinstance(given, int) else "number"
        hint = field.metadata.get("hint", f"use a {kind}{_limits(low, high, given)}")
        if flag:
            raise invalid_setting(value, field.name, hint, flag)
        raise invalid_value(name_on_command_line(field), given, hint)


def _limits(low: float | None, high: float | None, given: float) -> str:
    """Return what a hint says of a range that `given` is outside of; a maximum above 10**6 is only a technical one."""
    least, most = (f"{limit:,}".removesuffix(".0") if limit is not None else "" for limit in (low, high))
    if low is None:
        return f", {most} or less"
    if high is None or (high > 10**6 and not given > high):
        return f", {least} or more"
    return f" from {least} to {most}"


def check_choices(value: Any) -> None:
    """Raise OptionError for the first field of a dataclass made by `choice` that is neither empty nor a choice."""
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if given and field.metadata.get("only_choices") and given not in field.metadata["choices"]:
            flag = name_on_command_line(field)
            hint = "use " + ", or ".join(f"{flag} {each}" for each in field.metadata["choices"])
            raise invalid_value(flag, given, hint)


def at_least_one(flag: str) -> Callable[[str], int]:
    """Return a parser for the whole number of an option that is 0 if it is left out, but cannot be set to 0."""

    def parse(text: str) -> int:
        if text.strip().isdecimal() and int(text):
            return int(text)
        raise invalid_value(flag, text, f"use a whole number, 1 or more, or leave out {flag}")

    return parse


def invalid_value(name: str, value: object, hint: str) -> OptionError:
    """Return the error for an invalid value of what a user calls `name`."""
    return OptionError(f"invalid value for {name}: '{_text(value)}'", hint)


def invalid_setting(config: Any, name: str, hint: str, flag: str = "--set") -> OptionError:
    """Return the error for the value that field `name` of `config` has; `hint` gets an example if it has none."""
    shown = "" if "such as" in hint else example(type(config).__dataclass_fields__[name], flag)
    return invalid_value(f"`{name}`", getattr(config, name), hint + shown)


def example(field: Field[Any], flag: str) -> str:
    """Return `, such as --set lr=0.005` with the default of `field`; empty if that says nothing."""
    return f", such as {flag} {field.name}={_text(field.default)}" if field.default not in (None, "", ()) else ""


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(_text, value)) if isinstance(value, tuple) else str(value).removesuffix(".0")
