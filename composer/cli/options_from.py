"""The options of a command from the fields of a dataclass, and the dataclass from what the parser found.

Fields that are dataclasses are flattened, so that `SamplingParams` and others keep their own flags, help and checks.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import Field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar

from typer.core import TyperArgument, TyperOption

from composer.api import UsageError
from composer.api.fields import flags_of, name_on_command_line
from composer.cli.command import CONTEXT, Command
from composer.registry.options import convert

T = TypeVar("T")


class OptionsCommand(Command):
    """A command whose options and arguments are the fields of a dataclass, which its function is called with."""

    def __init__(self, name: str, function: Callable[..., object], options: type[Any], summary: str = "") -> None:
        super().__init__(
            name,
            params=parameters(options),
            help=function.__doc__,
            short_help=summary,
            context_settings=CONTEXT,
            rich_markup_mode=None,
        )
        self.function, self.options = function, options

    def call(self, ctx: Any) -> None:
        """Call the function with the console and the options."""
        self.function(ctx.obj, instance(self.options, ctx.params))


def parameters(kind: type[Any], panel: str = "", prefix: str = "") -> list[Any]:
    """Return the parser's options and arguments for the fields of `kind`; `panel` is for fields that name none.

    The parser keeps a field's value under `prefix` and its name.
    """
    types, found = typing.get_type_hints(kind), list[Any]()
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(types[field.name]):
            found += parameters(types[field.name], field.metadata.get("panel", panel), prefix)
        elif not field.metadata.get("internal"):
            found.append(_parameter(field, types[field.name], panel, prefix))
    return found


def instance(kind: type[T], given: Mapping[str, Any], prefix: str = "", **others: Any) -> T:
    """Return a value of the dataclass `kind` from what the parser found. Raises UsageError, which names the flag."""
    types, values = typing.get_type_hints(kind), dict[str, Any](others)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        hint, text = types[field.name], given.get(prefix + field.name)
        if dataclasses.is_dataclass(hint):
            values[field.name] = instance(hint, given, prefix)  # type: ignore[arg-type]
        elif text is None:
            continue
        elif hint is bool:
            values[field.name] = field.default is not True
        else:
            name, parse = name_on_command_line(field), field.metadata.get("parse")
            hint = _value_type(hint)
            if text == "" and _names_file(field, hint):
                raise empty_name(name, "file name" if field.metadata.get("metavar") == "FILE" else "name")
            if field.metadata.get("repeated"):
                values[field.name] = tuple(convert(hint, each, name, parse) for each in text)
            else:
                values[field.name] = convert(hint, text, name, parse)
    return kind(**values)


def empty_name(option: str, kind: str = "name") -> UsageError:
    """Return the error for an empty name of a file or a model, which would stand for the current folder."""
    if not option.startswith("-"):
        return UsageError(f"the file name {option} is empty", "name a file")
    return UsageError(f"the {kind} of {option} is empty", f"leave out {option}, or add a {kind}", flags=(option,))


def _names_file(field: Field[Any], hint: Any) -> bool:
    """Return whether a field names one file, and an empty name does not stand for its default."""
    named = "FILE" in (field.metadata.get("metavar"), field.metadata.get("argument"))
    return hint is Path or (named and field.default in (None, dataclasses.MISSING))


def _parameter(field: Field[Any], hint: Any, panel: str, prefix: str) -> Any:
    """Return the parser's option or argument for one field; its value stays text until `instance` converts it."""
    metadata = field.metadata
    shared: dict[str, Any] = {
        "help": metadata.get("help") or None,
        "metavar": metadata.get("argument") or metadata.get("metavar") or _metavar(field.name, hint),
        "rich_help_panel": metadata.get("panel", panel) or None,
        "autocompletion": _completion(metadata.get("choices") or _literals(hint)),
    }
    repeated = metadata.get("repeated", False)
    if "argument" in metadata:
        required = field.default is dataclasses.MISSING
        nargs = -1 if repeated else None
        return TyperArgument(param_decls=[prefix + field.name], required=required, nargs=nargs, **shared)
    names = [prefix + field.name, *sorted(flags_of(field), key=lambda flag: not flag.startswith("--"))]
    if hint is bool:
        return TyperOption(param_decls=names, is_flag=True, default=None, **{**shared, "metavar": None})
    default = _text(field.default)
    return TyperOption(param_decls=names, multiple=repeated, default=default, show_default=True, **shared)


def _metavar(name: str, hint: Any) -> str:
    """Return what stands for the value in the help: N for numbers, else the field's name."""
    return "N" if _value_type(hint) in {int, float} else name.upper()


def _text(default: Any) -> str | None:
    """Return a default as the help shows it and the parser keeps it; None if there is nothing to show."""
    return str(default) if default and default is not dataclasses.MISSING else None


def _value_type(hint: Any) -> Any:
    """Return the type of one given value: without None, and that of the items of a tuple."""
    if typing.get_origin(hint) in {UnionType, typing.Union, tuple}:
        return next(each for each in typing.get_args(hint) if each is not NoneType)
    return hint


def _literals(hint: Any) -> tuple[str, ...]:
    """Return the words of a Literal, or of one that may be None."""
    hint = _value_type(hint)
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _completion(choices: Any) -> Callable[..., list[str]] | None:
    """Return what completes a value for the parser, which keeps the words that begin as typed."""
    if not choices:
        return None
    return lambda context, arguments, incomplete: list(choices() if callable(choices) else choices)
