"""Defaults of options from the configuration file: which keys there are, their checks, and how a command gets them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from composer.api import OptionError, UsageError
from composer.api.errors import OptionsError, suggest
from composer.cli.command import LEAVE_OUT
from composer.cli.config.file import ConfigFile, Key, load
from composer.cli.control_flags import PREFIX, REPRESENTATION, ControlCommand, representations_with, set_controls
from composer.cli.options_from import OptionsCommand, instance
from composer.cli.render.text import join_names
from composer.registry import plugins as registry

EXCLUDED = {
    "choose",
    "help",
    "force",
    "from",
    "name",
    "output",
    "prime",
    "prime-text",
    "resume",
    "valid",
    "split",
    "preset",
}
"""Options without a default in the file: they belong to a single run, or could destroy something."""
WITHOUT_OPTIONS = {"completions", "config", "help", "models", "version"}
"""Commands whose options have no defaults in the file."""
ENVIRONMENT = {"device": "COMPOSER_DEVICE"}
"""Environment variables that come before the file, by option."""
SAVED = {"train": {"--resume", "--preset"}}
"""By command, options with which most values come from elsewhere, so that only those of NOT_SAVED are used."""
NOT_SAVED = {"device", "json", "log-dir", "quiet"}


def apply(path: Path, command: Any, context: Any, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Use the defaults of a command that is about to parse its arguments.

    Raises UsageError, which names the line, and ComposerError as `file.load`.
    """
    if command.name in WITHOUT_OPTIONS or {"-h", "--help"} & {*arguments}:
        return
    config = load(path)
    check_tables(config)
    table = config.tables.get(command.name, {})
    kind = (
        _representation(command, context, arguments) if any(isinstance(each, dict) for each in table.values()) else ""
    )
    for name in table:
        if isinstance(table[name], dict):
            check_representation(config, command, (command.name, name))
    given = {option for argument in arguments for option in [argument.partition("=")[0]]}
    saved = bool(SAVED.get(command.name, set()) & given)
    context.default_map, keys = {}, dict[str, Key]()
    for key in [(command.name,), *([(command.name, kind)] if kind in table else [])]:
        for name, value in (table if len(key) == 1 else table[kind]).items():
            if len(key) == 1 and isinstance(value, dict):
                continue
            param, parsed = check(config, command, context, (*key, name), value)
            if not (saved and name not in NOT_SAVED) and not environ.get(ENVIRONMENT.get(name, "")):
                context.default_map.pop(param.name, None)
                context.default_map |= {} if parsed is None else {param.name: parsed}
                keys[param.name] = (*key, name)
    if context.default_map:
        context.meta[LEAVE_OUT] = lambda error: leave_out(command, context, error, keys)


def leave_out(command: Any, context: Any, error: OptionsError, keys: Mapping[str, Key]) -> bool:
    """Leave out the defaults that an error is about, and return whether there are any; typed options stay.

    `keys` are those of the file by the parser's names. Raises UsageError if only defaults contradict each other.
    """
    about = [
        (param, context.get_parameter_source(param.name).name)
        for param in command.get_params(context)
        if {*error.flags} & {*param.opts}
    ]
    found = [param for param, source in about if source == "DEFAULT_MAP" and param.name in context.default_map]
    if len(found) > 1 and all(source != "COMMANDLINE" for _, source in about):
        first, *others = [".".join(keys[param.name]) for param in found]
        message = f"{error.message}; the configuration file sets {join_names([first, *others])}"
        raise UsageError(message, f"composer config unset {first}") from error
    for param in found:
        del context.default_map[param.name]
        value, source = param.consume_value(context, {})
        context.params[param.name] = param.process_value(context, value)
        context.set_parameter_source(param.name, source)
    return bool(found)


def check_tables(config: ConfigFile) -> None:
    """Raise UsageError if a top-level key is not the name of a command with a table."""
    from composer.cli.command import COMMANDS

    known = [name for name in COMMANDS if name not in WITHOUT_OPTIONS]
    for name, table in config.tables.items():
        if name not in known:
            raise UsageError(f"{config.place((name,))}: unknown command '{name}'", suggest(name, known))
        if not isinstance(table, dict):
            raise UsageError(f"{config.place((name,))}: {name} must be a table", f"write [{name}] and options below it")


def check_representation(config: ConfigFile, command: Any, key: Key) -> None:
    """Raise UsageError if the command has no table for the representation that is the last part of the key."""
    name = key[-1]
    takes = any(param.name == "representation" for param in command.params)
    kinds = [each.representation.name for each in registry.load_all(lambda _: None) if each.representation]
    if not takes or name not in kinds:
        hint = suggest(name, kinds) if takes else f"`{command.name}` takes no representation"
        raise UsageError(f"{config.place(key)}: unknown representation '{name}' in {'.'.join(key)}", hint)


def options(command: Any, context: Any, *, controls: bool) -> dict[str, Any]:
    """Return the parser's options by the name that they have in the file."""
    found = {}
    for param in command.get_params(context):
        if param.param_type_name == "option" and (controls or not param.name.startswith(PREFIX)):
            name = max(param.opts, key=len).lstrip("-")
            if name.removeprefix("no-") not in EXCLUDED:
                found[name.removeprefix("no-")] = param
    return found


def check(config: ConfigFile, command: Any, context: Any, key: Key, value: Any) -> tuple[Any, Any]:
    """Return the option of a key, and its value for the parser: None to leave a flag out.

    Raises UsageError, which names the key and its line.
    """
    name, written = key[-1], ".".join(key)
    known = options(command, context, controls=len(key) > 2)
    if name not in known:
        error = unknown_key(command, key, known)
        raise UsageError(f"{config.place(key)}: {error.message}", error.hint)
    param = known[name]
    hint = f"correct it: composer config set {written} VALUE"
    try:
        parsed = _parsed(param, value)
        if parsed is not None:
            _convert(command, context, param, parsed)
    except OptionError as error:
        raise UsageError(f"{config.place(key)}: {written}: {error.message}", error.hint or hint) from error
    except typer.TyperException as error:
        message = " ".join(str(getattr(error, "message", error)).split())
        raise UsageError(f"{config.place(key)}: {written}: {message}", hint) from error
    return param, parsed


def unknown_key(command: Any, key: Key, known: Iterable[str]) -> UsageError:
    """Return the error for a key that is none of the `known` options, with one of a similar name if there is any."""
    from difflib import get_close_matches  # not needed without an error

    flag, written = f"--{key[-1]}", ".".join(key)
    if any(flag in param.opts for param in command.params):
        return UsageError(f"{written}: {flag} cannot have a default", f"give {flag} on the command line")
    if len(key) == 2 and isinstance(command, ControlCommand) and (owners := representations_with(flag)):
        where = join_names([f"`{key[0]}.{name}.{key[-1]}`" for name in owners], "or")
        return UsageError(f"{written}: {flag} is a control of a representation", f"use {where}")
    near = get_close_matches(key[-1], known, 1)
    listed = f"see all keys: composer config list {' '.join(key[:-1])}"
    return UsageError(
        f"unknown key '{written}'", f"did you mean `{'.'.join((*key[:-1], near[0]))}`?" if near else listed
    )


def _parsed(param: Any, value: Any) -> Any:
    """Return a value of the file as the parser gets it from the command line."""
    shown = "a table" if isinstance(value, dict) else f"'{value}'"
    if param.is_flag:
        if not isinstance(value, bool):
            raise OptionError(f"invalid value: {shown}", "use true or false")
        return True if value != param.opts[0].startswith("--no-") else None
    values = value if isinstance(value, list) and param.multiple else [value]
    if not all(isinstance(each, str | int | float) for each in values):
        raise OptionError(f"invalid value: {shown}", "use a number, or a text in quotes")
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    return texts if param.multiple else texts[0]


def _convert(command: Any, context: Any, param: Any, parsed: Any) -> None:
    """Convert a value as the command does. Raises OptionError or one of the parser's errors."""
    if not isinstance(command, OptionsCommand):
        param.type_cast_value(context, parsed)
        return
    if param.name.startswith(PREFIX):
        instance(context.meta[REPRESENTATION].Controls, {param.name: parsed}, PREFIX)
        return
    required = {
        field.name: ["x"] if field.metadata.get("repeated") else "x"
        for field in dataclasses.fields(command.options)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    try:
        instance(command.options, {**required, param.name: parsed})
    except OptionError:
        raise
    except UsageError:  # about how it goes with other options, which the command reports
        pass


def _representation(command: Any, context: Any, arguments: Sequence[str]) -> str:
    """Return the representation that the arguments name; empty if there is none."""
    if REPRESENTATION in context.meta:
        return str(context.meta[REPRESENTATION].name)
    parser = command.make_parser(context)
    parser.ignore_unknown_options = True
    try:
        found, _, _ = parser.parse_args(list(arguments))
    except typer.TyperException:  # the command itself reports it
        return ""
    return str(found.get("representation") or "")


def context_of(command: Any, representation: str) -> Any:
    """Return a context to look up the options of a command, with the controls of a representation if it has any."""
    context = command.context_class(command, info_name=command.name)
    if representation and hasattr(command, "_words"):
        set_controls(context, representation)
    return context


def problems(config: ConfigFile, build: Any) -> Iterator[tuple[Key, str]]:
    """Yield each key of the file that is wrong, and the error; `build` returns a command by name."""
    for key, value in config.values():
        if value == {} and key:
            continue
        try:
            check_key(config, build, key, value)
        except UsageError as error:
            yield key, error.message


def check_key(config: ConfigFile, build: Any, key: Key, value: Any) -> tuple[Any, Any]:
    """Check a key of any command and its value, as `check`. Raises UsageError."""
    check_tables(ConfigFile(config.path, config.text, {key[0]: {} if len(key) > 1 else value}))
    command = build(key[0])
    if len(key) == 1:
        return None, None
    kind = key[1] if len(key) > 2 else ""
    if kind:
        check_representation(config, command, key[:2])
    return check(
        config, command, context_of(command, kind), key if len(key) < 4 else (*key[:2], ".".join(key[2:])), value
    )
