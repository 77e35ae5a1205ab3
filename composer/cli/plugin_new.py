"""`composer plugins new`: write the package of a new plugin."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from composer.api import UsageError
from composer.cli.console import Console
from composer.cli.scaffold.new_package import KINDS, NewPackage, write_package

EXAMPLE = "for example: composer plugins new chords --kind representation"


def run(
    console: Console, arguments: Sequence[str], kind: str, *, frames: bool, controls: bool, taken: Collection[str]
) -> None:
    """Write the package of the plugin named by the only argument, and print what to do with it.

    `taken` are names that it cannot have, besides those of installed plugins. Raises UsageError and ComposerError.
    """
    from composer.registry import plugins as registry

    if not arguments:
        raise UsageError("missing argument NAME", EXAMPLE)
    name, *others = arguments
    if others:
        raise UsageError(f"unexpected argument: {others[0]}", f"composer plugins new {name} --kind {kind or KINDS[0]}")
    if not kind:
        raise UsageError("missing option --kind", f"add --kind {' or --kind '.join(KINDS)}")
    package = NewPackage(name, kind, frames, controls)
    folder = write_package(package, taken={*taken, *registry.plugin_names()})
    console.say(f"created {folder}; next, run these commands:")
    console.write("".join(f"{line}\n" for line in (f"cd {folder}", *package.commands())))
