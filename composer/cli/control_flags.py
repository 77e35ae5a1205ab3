"""What a player may ask of a representation, as flags of `composer gen`: one for each field of its `Wishes`."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from composer.api import ComposerError, Representation
from composer.cli.command import Command
from composer.cli.render.text import join_names

KIND, GIVEN = "composer.kind", "composer.wishes"


class WishingCommand(Command):
    """A command whose first plugin's name is a representation, and which takes that one's wishes as flags too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        kind = _representation(args)
        ctx.meta[KIND], ctx.meta[GIVEN] = kind, []
        rest = _taken(kind, args, ctx.meta[GIVEN]) if kind is not None else args
        return super().parse_args(ctx, rest)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        kind = ctx.meta.get(KIND)
        rows = [(_flag(field) + _metavar(kind, field), field.metadata.get("help", "")) for field in _fields(kind)]
        if rows:
            with formatter.section(f"What {kind.name} can be asked for"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)


def given(context: Any, kind: type[Representation]) -> Any:
    """The wishes on the command line. Raises OptionError for a value that cannot be wished."""
    from composer.registry import options

    return options.parse(kind.Controls, context.meta[GIVEN])


def elsewhere(context: Any, flag: str) -> tuple[str, str] | None:
    """What to say of a `flag` that the representation has not but others have; None where none has it."""
    kind = context.meta.get(KIND) if context is not None else None
    if kind is None:
        return None
    from composer.registry import plugins as registry

    others = (loaded.representation for loaded in registry.load_all())
    names = [other.name for other in others if other is not None and flag in map(_flag, _fields(other))]
    return (f"`{kind.name}` has no `{flag}`", f"{join_names(names)} can be asked for it") if names else None


def _representation(args: list[str]) -> type[Representation] | None:
    """The representation that the arguments name; None where they name none that loads."""
    from composer.registry import plugins as registry

    names = registry.plugin_names()
    for argument in args:
        if argument in names:
            try:
                return registry.representation(argument)
            except ComposerError:
                return None
    return None


def _taken(kind: type[Representation], args: list[str], pairs: list[str]) -> list[str]:
    """The arguments without the flags of wishes, which go into `pairs` as `key=value`."""
    flags = {_flag(field): field for field in _fields(kind)}
    rest, waiting = [], iter(args)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if flag not in flags:
            rest.append(argument)
            continue
        if not equals:
            value = next(waiting, "") if _metavar(kind, flags[flag]) else "on"
        pairs.append(f"{flags[flag].name}={value}")
    return rest


def _fields(kind: type[Representation] | None) -> tuple[Any, ...]:
    return dataclasses.fields(kind.Controls) if kind is not None else ()


def _flag(field: Any) -> str:
    return f"--{field.name.replace('_', '-')}"


def _metavar(kind: type[Representation], field: Any) -> str:
    """What stands for the value; nothing for a flag that is on or off."""
    return "" if typing.get_type_hints(kind.Controls)[field.name] is bool else f" {field.name.upper()}"
