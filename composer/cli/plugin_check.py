"""`composer plugins check`: the contract tests of one installed plugin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from composer.api import Model, ReadError, Representation, Source, UsageError
from composer.api.errors import suggest
from composer.cli.console import Console

MISSING = "missing argument PLUGIN"


def run(console: Console, arguments: Sequence[str]) -> None:
    """Test the plugin named by the first argument on the files named by the others. Exit with 1 if a test fails."""
    from composer.registry import plugins as registry

    if not arguments:
        raise UsageError(MISSING, "for example: composer plugins check abc")
    name, *files = arguments
    found = next((each for each in registry.load_all(console.warn) if each.plugin.name == name), None)
    if found is None:
        raise registry.UnknownName(f"unknown plugin '{name}'", suggest(name, registry.plugin_names()))
    sources = [_source(file) for file in files]
    passed = True
    if kind := found.representation:
        passed &= _report(console, f"representation {name}", lambda: _check_representation(kind, sources))
    if model := found.model:
        passed &= _report(console, f"model {name}", lambda: _check_model(model))
    if not passed:
        raise typer.Exit(1)


def _source(file: str) -> Source:
    if not Path(file).is_file():
        raise ReadError(f"no file named '{file}'", "check its name")
    return Source(Path(file), name=file)


def _check_representation(kind: type[Representation], sources: Sequence[Source]) -> None:
    from composer.api.testing import check_representation

    if not sources:
        raise UsageError(f"`{kind.name}` needs files to test it on", f"composer plugins check {kind.name} FILE...")
    check_representation(kind, sources)


def _check_model(kind: type[Model]) -> None:
    from composer.api.testing import check_model

    check_model(kind)


def _report(console: Console, what: str, check: Callable[[], None]) -> bool:
    """Run a check and print a line about it. Return whether it passed."""
    try:
        check()
    except AssertionError as error:
        console.write(f"{what}: failed: {error}\n")
        return False
    console.write(f"{what}: passed\n")
    return True
