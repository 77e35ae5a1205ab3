"""`composer plugins check`: the contract tests of one installed plugin."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import ComposerError, PluginError, ReadError, Representation, Source, UsageError
from composer.api.errors import suggest
from composer.cli.console import Console
from composer.cli.extension_check import extension_checks
from composer.cli.render.text import count_noun
from composer.registry.import_check import check_import

if TYPE_CHECKING:
    from composer.api.testing.checks import Check
    from composer.registry.entry_points import EntryPoint
    from composer.registry.plugins import LoadedPlugin

EXAMPLE_VALUES = {"range": "C4-C6", "density": "1", "keep_bars": "1", "key": "G", "meter": "3/4"}
"""Values of controls whose type does not say what they may be, by the usual names."""


def run(console: Console, arguments: Sequence[str]) -> None:
    """Test the plugin named by the first argument on the files named by the others. Exit with 1 if a check fails."""
    from composer.registry import plugins as registry

    if not arguments:
        raise UsageError("missing argument PLUGIN", "for example: composer plugins check abc")
    name, *files = arguments
    plugin = registry.find(name)
    if plugin is None:
        raise registry.UnknownName(f"unknown plugin '{name}'", suggest(name, registry.plugin_names()))
    loaded = registry.load(name)
    if files and loaded.representation is None:
        raise UsageError(
            f"unexpected argument: {files[0]}", f"it is tested without files: composer plugins check {name}"
        )
    if loaded.error is not None:
        raise loaded.error
    sources = _sources(files, loaded.representation) if loaded.representation else []
    errors = [_report(console, check) for check in _checks(loaded, sources)]
    failures = [error for error in errors if error is not None]
    if failures:
        hint = "see above what is wrong; --debug prints the traceback of the first"
        if loaded.representation and not files:
            hint += f"; with other pieces than the samples: composer plugins check {name} FILE..."
        raise PluginError(
            f"{len(failures)} of {count_noun(len(errors), 'check')} of `{name}` failed", hint
        ) from failures[0]
    console.say(f"{count_noun(len(errors), 'check')} passed")


def _sources(files: Sequence[str], kind: type[Representation]) -> list[Source]:
    """Return the files to test `kind` on: those given, else samples. Raises ReadError, and UsageError without any."""
    from composer.cli.sample_pieces import sample_pieces

    for file in files:
        if not Path(file).is_file():
            raise ReadError(f"no file named '{file}'", "check its name")
    found = [Source(Path(file), name=file) for file in files] or sample_pieces(kind)
    if not found:
        reads = ", ".join(kind.suffixes) or "no files"
        hint = f"composer plugins check {kind.name} FILE..."
        raise UsageError(f"there are no sample pieces for `{kind.name}`, which reads {reads}", hint)
    return found


def _checks(loaded: LoadedPlugin, sources: Sequence[Source]) -> Iterator[Check]:
    """Yield the checks of all that a plugin has; run each before the next."""
    from composer.api.testing.checks import Check
    from composer.api.testing.models import model_checks
    from composer.api.testing.representations import representation_checks
    from composer.system.threads import limited_threads

    yield Check("import", lambda: _check_import(loaded.plugin))
    if (representation := loaded.representation) is not None:
        yield from representation_checks(representation, sources, tried=list(example_controls(representation)))
    if loaded.model is not None:
        with limited_threads():
            yield from model_checks(loaded.model)
    yield from extension_checks(loaded.extensions)


def _check_import(plugin: EntryPoint) -> str:
    report = check_import(plugin)
    if report.problem:
        raise AssertionError(report.problem)
    return f"{report.seconds * 1000:.0f} ms"


def _report(console: Console, check: Check) -> AssertionError | None:
    """Run a check and print a line about it. Return what is wrong, if anything is."""
    try:
        console.write(f"passed  {check.name}: {check.result()}\n")
    except AssertionError as error:
        console.write(f"FAILED  {check.name}: {error}\n")
        return error
    return None


def example_controls(kind: type[Representation]) -> Iterator[Any]:
    """Yield controls of `kind`, each with one field set to something that its type, its choices or its name allow."""
    hints = typing.get_type_hints(kind.Controls)
    for field in dataclasses.fields(kind.Controls):
        for value in () if field.metadata.get("internal") else _values(field, hints[field.name]):
            try:
                yield kind.Controls(**{field.name: value})
            except ComposerError:  # not one of its values after all
                continue


def _values(field: dataclasses.Field[Any], hint: Any) -> list[Any]:
    """Return a few values of a field besides its default."""
    choices = field.metadata.get("choices", ())
    if typing.get_origin(hint) is typing.Literal:
        known = list(typing.get_args(hint))
    elif hint is bool:
        known = [not field.default]
    elif (number := next((each for each in (hint, *typing.get_args(hint)) if each in {int, float}), None)) is not None:
        known = [number(2)]
    elif field.name in EXAMPLE_VALUES:
        known = [EXAMPLE_VALUES[field.name]]
    else:
        known = list(choices() if callable(choices) else choices)
    return [value for value in known[:2] if value != field.default]
