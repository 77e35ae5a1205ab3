"""`composer plugins`: what is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError

if TYPE_CHECKING:
    from composer.cli.console import Console

KINDS = ("representations", "models")


def plugins(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="representations or models; without it, both.")] = "",
    names: Annotated[bool, typer.Option("--names", help="Print bare names, one a line.")] = False,
) -> None:
    """List the representations and models that are installed, and your own trained ones."""
    from composer.core import registry

    if kind not in {"", *KINDS}:
        raise UsageError(f"there is no kind of plugin called `{kind}`", f"there are {' and '.join(KINDS)}")
    console: Console = context.obj
    loaded = list(registry.everything(console.warn))
    for title, attribute in zip(KINDS, ("representation", "model"), strict=True):
        if kind not in {"", title}:
            continue
        found = [(getattr(each, attribute), each.plugin.distribution) for each in loaded if getattr(each, attribute)]
        if names:
            console.write("".join(f"{plugin.name}\n" for plugin, _ in found))
        else:
            _table(console, title, [(plugin.name, plugin.summary, origin) for plugin, origin in found])
    if not kind and not names:
        _table(console, "your models", _checkpoints())


def _checkpoints() -> Iterable[Sequence[str]]:
    """The user's own models, the newest first."""
    from composer.core import models

    for own in models.own_models():
        unfinished = "" if own.finished else ", unfinished"
        yield own.name, f"{own.header.representation} by {own.header.model}{unfinished}", str(own.path)


def _table(console: Console, title: str, rows: Iterable[Sequence[str]]) -> None:
    """A title, and rows in columns below it."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    console.write("\n".join([f"{title}:", *(f"  {line}" for line in lines or ["none"]), ""]))
