"""Subcommands that choose, rename, remove and copy models."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import UsageError
from composer.api.fields import option

if TYPE_CHECKING:
    from composer.cli.console import Console

YES = "Do not ask."


@dataclass(frozen=True, slots=True)
class UseOptions:
    """Options of `composer models use`."""

    name: str = option(help="Model to use by default: one of your own or a bundled one.", argument="MODEL")


@dataclass(frozen=True, slots=True)
class RenameOptions:
    """Options of `composer models rename`."""

    name: str = option(help="One of your models.", argument="MODEL")
    new: str = option(help="Its new name.", argument="NEW")


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """Options of `composer models copy`."""

    name: str = option(help="Model, or a snapshot such as mine.update-500.", argument="MODEL")
    new: str = option(help="Name of the copy.", argument="NEW")


@dataclass(frozen=True, slots=True)
class RemoveOptions:
    """Options of `composer models remove`."""

    names: tuple[str, ...] = option(help="Your models to remove.", argument="MODEL...", repeated=True)
    yes: bool = option(False, YES, "--yes", "-y")


def use(console: "Console", options: UseOptions) -> None:
    """Use a model by default.

    It becomes the model of its representation that gen, eval and harmonize use without --checkpoint. To go back to the
    bundled model, name that one.
    """
    from composer.checkpoints import selection, store
    from composer.checkpoints.file import read_header

    name = options.name.removesuffix(store.SUFFIX)
    if (path := store.model_named(name)) is None:
        given = store.resolve_model(Path(options.name))  # raises if there is no such file either
        hint = f"import it first: composer models import {shlex.quote(options.name)}"
        raise UsageError(f"{given} is not the name of a model", hint)
    header = read_header(path)
    if header.record.get("kind", "model") != "model":
        hint = f"make it a model first: composer models copy {shlex.quote(name)} NAME"
        raise UsageError(f"'{name}' is a snapshot, not a model", hint)
    kind = header.representation
    selection.choose(kind, None if path == store.pretrained(kind) else name)
    console.say(f"composer gen {kind} now uses {_described(name, path)}")


def rename(console: "Console", options: RenameOptions) -> None:
    """Rename one of your models and its training files.

    `composer train REP --name NEW --resume` resumes its training.
    """
    from composer.checkpoints import management

    management.rename(options.name, options.new)
    console.say(f"renamed {options.name} to {options.new}")


def copy(console: "Console", options: CopyOptions) -> None:
    """Copy a model under a new name.

    Its training files are not copied. A copy of a snapshot becomes a model of its own.
    """
    from composer.checkpoints import management, store

    path = management.add(store.resolve_model(Path(options.name)), options.new)
    console.say(f"copied {options.name} to {path}")


def remove(console: "Console", options: RemoveOptions) -> None:
    """Remove your models and their training files.

    On a terminal, it asks first. Bundled models cannot be removed.
    """
    from composer.checkpoints import management, store

    names = list(dict.fromkeys(options.names))
    for name in names:
        management.own_path(name, "removed")
    listed = ", ".join(names)
    if not confirmed(console, f"remove {listed}?", options.yes, f"composer models remove {shlex.join(names)} --yes"):
        return
    for name in names:
        chosen = management.remove(name)
        console.say(f"removed {name}")
        for kind in chosen:
            console.say(
                f"composer gen {kind} uses {'the bundled' if store.bundled(kind) else 'the default'} model again"
            )


def confirmed(console: "Console", question: str, yes: bool, command: str) -> bool:
    """Return whether the user agrees; without a terminal only if `yes`.

    Raises UsageError if there is nobody to ask; `command` is the one that does not ask.
    """
    if yes:
        return True
    if not (console.stdin.isatty() and console.stderr.isatty()):
        raise UsageError("this needs a terminal to ask for confirmation, or --yes", command)
    if console.ask(f"{question} [y/N] ").strip().lower() in {"y", "yes"}:
        return True
    console.say("nothing was changed")
    return False


def _described(name: str, path: Path) -> str:
    from composer.checkpoints import store

    return f"the bundled model {name}" if path == store.bundled(name) else f"model {name}"
