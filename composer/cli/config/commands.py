"""What `composer config` and its subcommands do."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import ComposerError, UsageError
from composer.api.fields import option
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.cli.config.file import ConfigFile, Key
    from composer.cli.console import Console


@dataclass(frozen=True, slots=True)
class NoOptions:
    """Options of `composer config path`."""


@dataclass(frozen=True, slots=True)
class OverviewOptions:
    """Options of `composer config` without a subcommand."""

    json: bool = option(False, "Print JSON.")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `composer config list`."""

    command: str = option(help="Command, such as gen.", argument="COMMAND")
    representation: str = option("", "Representation, to list its controls too.", argument="REP")
    json: bool = option(False, "Print JSON.")


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """Options of `composer config get` and `unset`."""

    key: str = option(help="Key, such as gen.temp or gen.abc.temp.", argument="KEY")


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `composer config set`."""

    key: str = option(help="Key, such as gen.temp or gen.abc.temp.", argument="KEY")
    value: str = option(help="Its value, as on the command line; true or false for a flag.", argument="VALUE")


def overview(console: "Console", options: OverviewOptions) -> None:
    """List the defaults that you have set, with their origin.

    A key is a command and one of its options, such as gen.temp, or a command, a representation and an option, such as
    gen.abc.temp. The command line takes precedence over the environment, and the environment over the configuration
    file. In the file, a value for a representation takes precedence over one for all. A default that has no effect on a
    command, or contradicts an option on the command line, is left out if that is found before anything is generated or
    written. `replay` uses none of them.
    """
    from composer.cli.command import build
    from composer.cli.config import defaults

    config = _load()
    rows = [(".".join(key), value, f"{config.place(key)}") for key, value in config.values() if value != {}]
    variables = [("device", name, console.environ[name]) for name in ("COMPOSER_DEVICE",) if console.environ.get(name)]
    rows += [(f"*.{key}", value, name) for key, name, value in variables]
    _print(console, rows, options.json)
    found = list(defaults.problems(config, build))
    for _, message in found:
        console.warn(message)
    if found:
        raise ComposerError(
            f"{config.path} has {count_noun(len(found), 'invalid setting')}",
            f"composer config unset {'.'.join(found[0][0])}",
        )


def list_options(console: "Console", options: ListOptions) -> None:
    """List all options of a command that can have a default, with their values and origin."""
    command, _, part = options.command.partition(".")  # gen.abc is that part of the file
    representation, rows = options.representation or part, []
    for name in options_of(command, representation):
        key = (command, *([representation] if representation else []), name)
        value, origin = _effective(console, key)
        rows.append((".".join(key), value, origin))
    _print(console, rows, options.json)


def get(console: "Console", options: KeyOptions) -> None:
    """Print the value of a key, and where it comes from."""
    value, origin = _effective(console, _key(options.key))
    console.write(f"{_shown(value)}\n")
    console.say(f"from: {origin}")


def set_(console: "Console", options: SetOptions) -> None:
    """Set the default of an option."""
    from composer.cli.command import build
    from composer.cli.config import defaults

    key, config = _key(options.key), _load()
    param, _ = _option(key)
    value = _typed(options.value, param)
    with _as_typed(config.path):
        defaults.check_key(type(config)(config.path), build, key, value)
    config.write(config.with_value(key, value))
    console.say(f"set {options.key} in {config.path}")


def unset(console: "Console", options: KeyOptions) -> None:
    """Remove a default that you have set."""
    key, config = tuple(options.key.split(".")), _load()
    known = [".".join(found) for found, _ in config.values()]
    if options.key not in known:
        raise UsageError(f"{options.key} is not set", "see what is set: composer config")
    config.write(config.without(key))
    console.say(f"removed {options.key} from {config.path}")


def path(console: "Console", options: NoOptions) -> None:
    """Print the path of the configuration file, which may not exist."""
    console.write(f"{_load_path()}\n")


def _load() -> "ConfigFile":
    from composer.cli.config.file import load

    return load(_load_path())


def _load_path() -> Any:
    from composer.system.paths import config_file

    found = config_file()
    if found is None:
        raise UsageError("COMPOSER_CONFIG is empty, so there is no configuration file", "unset COMPOSER_CONFIG")
    return found


def _key(text: str) -> "Key":
    """Return the parts of a key. Raises UsageError if there cannot be such a key."""
    key = tuple(text.split("."))
    if len(key) not in {2, 3} or not all(key):
        raise UsageError(f"invalid key '{text}'", "use COMMAND.OPTION or COMMAND.REP.OPTION, such as gen.abc.temp")
    _option(key)
    return key


def _option(key: "Key") -> tuple[Any, Any]:
    """Return the option of a key, and the context of its command. Raises UsageError."""
    known = options_of(key[0], key[1] if len(key) > 2 else "")
    if key[-1] not in known:
        from composer.cli.command import build
        from composer.cli.config import defaults

        raise defaults.unknown_key(build(key[0]), key, known)
    return known[key[-1]], None


def options_of(command_name: str, representation: str) -> dict[str, Any]:
    """Return the options of a command that can have a default. Raises UsageError."""
    from composer.cli.command import build
    from composer.cli.config import defaults
    from composer.cli.config.file import ConfigFile

    empty = ConfigFile(_load_path())
    with _as_typed(empty.path):
        defaults.check_tables(ConfigFile(empty.path, "", {command_name: {}}))
        command = build(command_name)
        if representation:
            defaults.check_representation(empty, command, (command_name, representation))
    return defaults.options(command, defaults.context_of(command, representation), controls=bool(representation))


def _effective(console: "Console", key: "Key") -> tuple[Any, str]:
    """Return the value that a key has without an option on the command line, and its origin."""
    from composer.cli.config.defaults import ENVIRONMENT

    variable, config = ENVIRONMENT.get(key[-1], ""), _load()
    if variable and console.environ.get(variable):
        return console.environ[variable], variable
    values = dict(config.values())
    for each in (key, (key[0], key[-1])):
        if each in values:
            return values[each], config.place(each)
    param, _ = _option(key)
    if param.is_flag:
        return param.opts[0].startswith("--no-"), "default"
    return param.default, "default"


@contextmanager
def _as_typed(path: Path) -> Iterator[None]:
    """Leave the configuration file at `path` out of errors about what was typed."""
    try:
        yield
    except UsageError as error:
        raise UsageError(error.message.removeprefix(f"{path}: "), error.hint) from error


def _typed(text: str, param: Any) -> Any:
    """Return what the user typed as a value of the file: a number or a word."""
    import tomllib

    if param.multiple:
        return [text]
    if param.is_flag:
        return {"true": True, "false": False}.get(text, text)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return value if isinstance(value, int | float) and not isinstance(value, bool) and str(value) == text else text


def _print(console: "Console", rows: list[tuple[str, Any, str]], as_json: bool) -> None:
    from composer.cli.render.table import table

    if as_json:
        keys = ("key", "value", "origin")
        console.write_json([dict(zip(keys, row, strict=True)) for row in rows], indent=1, default=str)
    elif rows:
        shown = [("key", "value", "origin"), *((key, _shown(value), origin) for key, value, origin in rows)]
        console.write(table(shown, console.width if console.stdout_is_terminal else None, fold=(2, 1)))
    else:
        console.say("nothing is set; for example: composer config set gen.abc.temp 0.9")


def _shown(value: Any) -> str:
    if value is None or value in ("", (), []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
