"""The representation that a command line names, and what was probably meant if it names a file instead."""

from __future__ import annotations

import shlex
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import Representation
from composer.cli.render.table import wrapped_columns
from composer.formats import format_named
from composer.formats.read import suffixes_of
from composer.registry import plugins as registry

if TYPE_CHECKING:
    from composer.cli.console import Console

MAX_LISTED = 10_000
"""Files of a folder that are looked at to guess a representation."""

EXAMPLES = {
    "gen": "composer gen abc",
    "jam": "composer jam abc",
    "train": "composer train abc tunes/",
    "eval": "composer eval abc tunes/",
}
EXAMPLES |= {name: f"composer gen abc | composer {name} -" for name in ("check", "originality", "replay")}
EXAMPLES |= {"harmonize": "composer gen abc | composer harmonize -"}
EXAMPLES |= {"completions": "composer completions bash", "show": "composer show abc"}


def find_representation(name: str, command: str) -> type[Representation]:
    """Return the representation `name`. Raises PluginError; for a file, the hint is the command that was meant."""
    try:
        return registry.representation(name)
    except registry.UnknownName as error:
        found = _representation_of_file(Path(name))
        if found is None:
            raise
        file = f"{'--prime ' if command == 'gen' else ''}{shlex.quote(name)}"
        raise registry.UnknownName(error.message, f"did you mean: composer {command} {found.name} {file}") from None


def print_examples(console: Console, command: str) -> None:
    """Print the installed representations, in a table, and an example of the command to stderr."""
    kinds = [kind for loaded in registry.load_all() if (kind := loaded.representation)]
    width = console.width - 2 if console.stderr.isatty() else None
    lines = wrapped_columns([(kind.name, kind.summary) for kind in kinds], width)
    console.print_error("\n".join(["Choose a representation:", *(f"  {line}" for line in lines), ""]))
    console.print_prose(f"Example: {EXAMPLES[command]}")


def representations_reading(suffix: str) -> list[type[Representation]]:
    """Return the representations that read files with this suffix, those that write such files first."""
    kinds = [kind for loaded in registry.load_all() if (kind := loaded.representation) and suffix in suffixes_of(kind)]
    return sorted(kinds, key=lambda kind: suffix not in format_named(kind.formats[0]).suffixes)


def _representation_of_file(path: Path) -> type[Representation] | None:
    """Return the first representation for a file by its suffix, or for the first file in a folder that has one."""
    files = islice(path.rglob("*"), MAX_LISTED) if path.is_dir() else [path]
    found = (representations_reading(file.suffix.lower()) for file in files if file.suffix)
    return next((kinds[0] for kinds in found if kinds), None)
