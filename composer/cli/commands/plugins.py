"""`composer plugins`: installed plugins, their options, your trained models, and tools for authors of plugins."""

import dataclasses
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from composer.api import PluginError, UsageError
from composer.api.errors import suggest
from composer.cli.console import Console
from composer.cli.plugin_extensions import LISTS, TITLES, explain
from composer.cli.render.text import wrap
from composer.registry.options import as_option_value
from composer.system.escaping import escape_line

if TYPE_CHECKING:
    from composer.registry.plugins import LoadedPlugin

SUMMARY_COLUMN = 60
"""Columns of a terminal from which on help is beside an option rather than below it."""
MIN_COLUMN = 12
"""Minimum width of a wrapped cell."""
KINDS = {"representations": "representation", "architectures": "model"}
"""Kinds of plugins, and the attribute of a `LoadedPlugin` that holds each."""
NEW, NEW_HINT = "New plugin", "for a new plugin: composer plugins new NAME --kind KIND"
"""Heading of the options of `new`, and the hint if they are given without it."""
ACTIONS = {"check": "composer.cli.plugin_check", "new": "composer.cli.plugin_new"}
"""What else the first argument may be: the module whose `run` gets the console and the other arguments."""


def plugins(
    context: typer.Context,
    which: Annotated[
        str,
        typer.Argument(metavar="PLUGIN", help="Name of a plugin, a kind such as `formats`, or `check` or `new`."),
    ] = "",
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENT...", help="For `check`: a plugin and files. For `new`: a name."),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Print names only, one per line.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Report plugins that fail to load, are slow, or import torch too early.")
    ] = False,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="`representation` or `model`.", rich_help_panel=NEW)
    ] = "",
    frames: Annotated[
        bool, typer.Option("--frames", help="Start with frames instead of tokens.", rich_help_panel=NEW)
    ] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Start with an option of gen and its constraint.", rich_help_panel=NEW)
    ] = False,
) -> None:
    """List installed representations and architectures, formats, presets, rankings and checks, and trained models.

    Name a kind, such as `formats`, to list only that kind. Name a representation to list its options (-O), or an
    architecture to list its settings (--set). `composer models` shows more about trained models.

    composer plugins check PLUGIN [FILE]... tests that a plugin follows the interface; FILE holds pieces to test it on.

    composer plugins new NAME --kind KIND creates the folder composer-NAME, a package with a new, working plugin.
    """
    from composer.registry import plugins as registry

    console: Console = context.obj
    of_new, of_list = (
        {"kind": kind, "frames": frames, "controls": controls},
        {"names": names, "json": json, "check": check},
    )
    if which in ACTIONS:
        _refuse(of_list, f"does not go with `{which}`", "for all plugins: composer plugins {}")
        _act(console, which, arguments or [], of_new)
        return
    _refuse(of_new, "goes with `new` only", NEW_HINT)
    if arguments:
        raise UsageError(f"unexpected argument: {arguments[0]}", f"to test a plugin: composer plugins check {which}")
    if check:
        _check_imports(console, which)
        return
    loaded = list(registry.load_all(console.warn))
    if which and which not in {*KINDS, *LISTS}:
        if json:
            raise UsageError("--json is for lists", "for all plugins: composer plugins --json")
        console.write(_explain(which, loaded, console.width))
        return
    tables = _tables(console, which, loaded, names=names)
    if json:
        keys = ("name", "summary", "distribution")
        rows = {title: [dict(zip(keys, row, strict=True)) for row in found] for title, found in tables}
        console.write_json({title.replace(" ", "_"): found for title, found in rows.items()}, indent=1)
        return
    for title, found in tables:
        if names:
            console.write("".join(f"{name}\n" for name, *_ in found))
        else:
            _table(console, title, found)


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


def _act(console: Console, action: str, arguments: Sequence[str], of_new: Mapping[str, Any]) -> None:
    """Run what `action` names; `of_new` are the options of `new`."""
    run: Callable[..., None] = import_module(ACTIONS[action]).run
    if action == "new":
        run(console, arguments, **of_new, taken={*ACTIONS, *KINDS, *LISTS})
        return
    _refuse(of_new, "goes with `new` only", NEW_HINT)
    run(console, arguments)


def _refuse(options: Mapping[str, Any], reason: str, hint: str) -> None:
    """Raise UsageError for the first of the `options` that was given; `{}` in the hint stands for it."""
    for name, value in options.items():
        if value:
            raise UsageError(f"--{name} {reason}", hint.format(f"--{name}"))


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
        if name == "models":
            raise registry.UnknownName("unknown plugin 'models'", "composer models, or composer plugins architectures")
        raise registry.UnknownName(f"unknown plugin '{name}'", suggest(name, known))
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


def _table(console: Console, title: str, rows: Iterable[Sequence[str]]) -> None:
    """Print a title and a table; on a terminal, wrap the widest columns so that each row fits."""
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    over = 2 * len(widths) + sum(widths) - console.width
    while console.stdout_is_terminal and over > 0 and max(widths) > MIN_COLUMN:
        widths[widths.index(max(widths))] -= 1
        over -= 1
    lines = [line for row in rows for line in _wrap_row(row, widths)]
    console.write("\n".join([f"{title}:", *(f"  {line}" for line in lines or ["none"]), ""]))


def _wrap_row(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a row with wrapped cells."""
    cells = [
        textwrap.wrap(cell, width, break_on_hyphens=False) if width else []
        for cell, width in zip(row, widths, strict=True)
    ]
    for parts in zip_longest(*cells, fillvalue=""):
        yield "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
