"""`composer plugins`: installed plugins, their options, your trained models, and tools for authors of plugins."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import dataclasses
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import typer

from composer.api import PluginError, UsageError
from composer.api.errors import suggest
from composer.api.fields import option
from composer.cli.console import Console
from composer.cli.options_from import OptionsCommand
from composer.cli.plugin_extensions import LISTS, TITLES, explain
from composer.cli.render.table import wrapped_columns
from composer.cli.render.text import wrap
from composer.registry.options import as_option_value

if TYPE_CHECKING:
    from composer.registry.plugins import LoadedPlugin

SUMMARY_COLUMN = 60
"""Columns of a terminal from which on help is beside an option rather than below it."""
KINDS = {"representations": "representation", "architectures": "model"}
"""Kinds of plugins, and the attribute of a `LoadedPlugin` that holds each."""
NEW, NEW_HINT = "New plugin", "for a new plugin: composer plugins new NAME --kind KIND"
"""Heading of the options of `new`, and the hint if they are given without it."""
ACTIONS = {"check": "composer.cli.plugin_check", "new": "composer.cli.plugin_new"}
"""What else the first argument may be: the module whose `run` gets the console and the other arguments."""

NOT_PLUGINS = {
    "models": "composer models, or composer plugins architectures",
    "list": "to list them: composer plugins",
    "ls": "to list them: composer plugins",
}
"""Hints for words that are no plugins."""


@dataclass(frozen=True, slots=True)
class PluginsOptions:
    """Options of `composer plugins`."""

    which: str = option("", "Name of a plugin, a kind such as `formats`, or `check` or `new`.", argument="PLUGIN")
    arguments: tuple[str, ...] = option(
        (), "For `check`: a plugin and files. For `new`: a name.", argument="ARGUMENT...", repeated=True
    )
    names: bool = option(False, "Print names only, one per line.")
    json: bool = option(False, "Print the list as JSON.")
    check: bool = option(False, "Report plugins that fail to load, are slow, or import torch too early.")
    kind: str = option("", "`representation` or `model`.", panel=NEW)
    frames: bool = option(False, "Start with frames instead of tokens.", panel=NEW)
    controls: bool = option(False, "Start with an option of gen and its constraint.", panel=NEW)

    @property
    def of_new(self) -> dict[str, Any]:
        """The options that only `new` has."""
        return {"kind": self.kind, "frames": self.frames, "controls": self.controls}

    @property
    def of_lists(self) -> dict[str, Any]:
        """The options that `new` and `check` do not have."""
        return {"names": self.names, "json": self.json, "check": self.check}


def plugins(console: Console, options: PluginsOptions) -> None:
    """List installed representations and architectures, formats, presets, rankings and checks, and trained models.

    Name a kind, such as `formats`, to list only that kind. Name a representation to list its options (-O), or an
    architecture to list its settings (--set). `composer models` shows more about trained models.

    composer plugins check PLUGIN [FILE]... tests that a plugin follows the interface; FILE holds pieces to test it on.

    composer plugins new NAME --kind KIND creates the folder composer-NAME, a package with a new, working plugin.
    """
    which = options.which
    if which in ACTIONS:
        _refuse(options.of_lists, f"does not go with `{which}`", "for all plugins: composer plugins {}")
        _act(console, options)
        return
    _refuse(options.of_new, "goes with `new` only", NEW_HINT)
    if options.arguments:
        hint = f"to test a plugin: composer plugins check {which}"
        raise UsageError(f"unexpected argument: {options.arguments[0]}", hint)
    if options.check:
        _check_imports(console, which)
    elif which and which not in {*KINDS, *LISTS}:
        if options.json:
            raise UsageError("--json is for lists", "for all plugins: composer plugins --json", flags=("--json",))
        console.write(_explain(which, _load_all(console), console.width))
    else:
        _list(console, options)


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("plugins", plugins, PluginsOptions, summary)


def _load_all(console: Console) -> list["LoadedPlugin"]:
    """Return all plugins that load, and warn of the others."""
    from composer.registry import plugins as registry

    return list(registry.load_all(console.warn))


def _list(console: Console, options: PluginsOptions) -> None:
    """Print tables of plugins, their names, or JSON."""
    tables = _tables(console, options.which, _load_all(console), names=options.names)
    if options.json:
        keys = ("name", "summary", "distribution")
        rows = {title: [dict(zip(keys, row, strict=True)) for row in found] for title, found in tables}
        console.write_json({title.replace(" ", "_"): found for title, found in rows.items()}, indent=1)
        return
    for title, found in tables:
        if options.names:
            console.write("".join(f"{name}\n" for name, *_ in found))
            continue
        lines = wrapped_columns(found, console.width - 2 if console.stdout_is_terminal else None)
        console.write("\n".join([f"{title}:", *(f"  {line}" for line in lines or ["none"]), ""]))


def _tables(
    console: Console, which: str, loaded: Sequence["LoadedPlugin"], *, names: bool
) -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
    """Yield title and rows of one kind of plugins, or of all kinds and the user's models; for `names` only classes."""
    for title, attribute in KINDS.items():
        if which in {"", title}:
            found = [(getattr(each, attribute), each.plugin) for each in loaded if getattr(each, attribute)]
            yield title, [(kind.name, kind.summary, plugin.distribution) for kind, plugin in found]
    for title, rows_of in LISTS.items():
        if which == title or not (which or names):
            rows = list(rows_of(console))
            if rows or which:
                yield TITLES.get(title, title), rows
    if not which and not names:
        yield "trained models", list(_user_models())


def _act(console: Console, options: PluginsOptions) -> None:
    """Run `check` or `new`, whichever is named."""
    run: Callable[..., None] = import_module(ACTIONS[options.which]).run
    if options.which == "new":
        run(console, options.arguments, **options.of_new, taken={*ACTIONS, *KINDS, *LISTS})
        return
    _refuse(options.of_new, "goes with `new` only", NEW_HINT)
    run(console, options.arguments)


def _refuse(options: Mapping[str, Any], reason: str, hint: str) -> None:
    """Raise UsageError for the first of the `options` that was given; `{}` in the hint stands for it."""
    for name, value in options.items():
        if value:
            raise UsageError(f"--{name} {reason}", hint.format(f"--{name}"), flags=(f"--{name}",))


def _check_imports(console: Console, only: str) -> None:
    """Import each plugin, or `only` the named one, on its own and print what is wrong. Exit with 1 if anything is."""
    from composer.registry import plugins as registry
    from composer.registry.import_check import check_import

    problems = 0
    for name in [only] if only else registry.plugin_names():
        plugin = registry.find(name)
        if plugin is None:
            raise registry.UnknownName(f"unknown plugin '{name}'", suggest(name, registry.plugin_names()))
        report = check_import(plugin)
        problem = report.problem or _load_problem(name)
        problems += bool(problem)
        console.write(f"{name} ({plugin.distribution}): {problem or f'loads in {report.seconds * 1000:.0f} ms'}\n")
    if problems:
        raise typer.Exit(1)


def _load_problem(name: str) -> str:
    """Return why a plugin that can be imported cannot be used; empty if it can."""
    from composer.registry import plugins as registry

    try:
        error = registry.load(name).error
    except PluginError as caught:
        error = caught
    return error.message if error else ""


def _user_models() -> Iterator[Sequence[str]]:
    """Yield the user's trained models, newest first."""
    from composer.checkpoints import store

    for own in store.user_models():
        unfinished = "" if own.finished else ", unfinished"
        yield own.name, f"{own.header.representation}, {own.header.model}{unfinished}", str(own.path)


def _explain(name: str, loaded: Sequence["LoadedPlugin"], width: int) -> str:
    """Return a plugin's summary and options. Raises UnknownName."""
    from composer.registry import plugins as registry
    from composer.training.settings import Settings

    found = next((each for each in loaded if each.plugin.name == name), None)
    if found is None:
        known = [*(each.plugin.name for each in loaded), *KINDS, *LISTS]
        raise registry.UnknownName(f"unknown plugin '{name}'", NOT_PLUGINS.get(name) or suggest(name, known))
    paragraphs = []
    if kind := found.representation:
        facts = f"reads {' '.join(kind.suffixes)}; writes {', '.join(kind.formats)}; encodes as {kind.kind}"
        labels = [f"labels for --conditions: {', '.join(kind.labels)}"] if kind.labels else []
        about = [line for each in (facts, *labels) for line in wrap(each, width - 2)]
        paragraphs.append([f"{name}: {kind.summary}", *about, *_options("-O", kind.Options, width)])
    if model := found.model:
        facts = f"accepts {' and '.join(sorted(model.accepts))}"
        paragraphs.append([f"{name}: {model.summary}", facts, *_options("--set", model.Config, width)])
        paragraphs.append(["training settings, for every model", *_options("--set", Settings, width)])
    paragraphs += explain(found.extensions)
    return "\n\n".join("\n  ".join(lines) for lines in paragraphs) + "\n"


def _options(flag: str, kind: type[Any], width: int) -> Iterator[str]:
    """Yield the fields of an options class, as written on the command line, with their help."""
    types = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        value, default = _value(field)
        written = f"{flag} {field.name}={value}"
        text = field.metadata.get("help", "") + _choices(types[field.name]) + default
        if width < SUMMARY_COLUMN:
            yield "\n  ".join([written, *textwrap.wrap(text, width - 2, initial_indent="  ", subsequent_indent="  ")])
            continue
        lines = textwrap.wrap(text, width - 2, initial_indent=f"{written:<28}  ", subsequent_indent=" " * 30)
        yield "\n  ".join(lines or [written])


def _value(field: dataclasses.Field[Any]) -> tuple[str, str]:
    """Return what stands for a field's value, its `metavar` or else its default, and the default if that is hidden."""
    if field.default is dataclasses.MISSING:
        default = "" if field.default_factory is dataclasses.MISSING else as_option_value(field.default_factory())
    else:
        default = as_option_value(field.default)
    metavar = field.metadata.get("metavar")
    if metavar is None:
        return default or field.name.upper(), ""
    return metavar, f" [default: {default}]" if default else ""


def _choices(kind: Any) -> str:
    """Return the choices of a Literal in parentheses, else nothing."""
    return f" ({', '.join(map(str, get_args(kind)))})" if get_origin(kind) is Literal else ""
