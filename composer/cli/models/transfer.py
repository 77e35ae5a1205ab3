"""Subcommands that export, import, locate and describe models."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import CheckpointError, UsageError
from composer.api.fields import option

if TYPE_CHECKING:
    from composer.cli.console import Console


@dataclass(frozen=True, slots=True)
class InfoOptions:
    """Options of `composer models info`."""

    name: str = option(help="Model name or file.", argument="MODEL")
    json: bool = option(False, "Print the facts as JSON.")


@dataclass(frozen=True, slots=True)
class PathOptions:
    """Options of `composer models path`."""

    name: str = option("", "Model; without it, the folder of your models.", argument="MODEL")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of `composer models export`."""

    name: str = option(help="Model, or a snapshot such as mine.update-500.", argument="MODEL")
    file: str = option(help="File to write, or the folder for it.", argument="FILE")
    force: bool = option(False, "Overwrite an existing file.")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of `composer models import`."""

    file: Path = option(help="Checkpoint from `composer models export` or `train --output`.", argument="FILE")
    name: str | None = option(None, "Name of the model. [default: that of the file]", metavar="NAME")


def info(console: "Console", options: InfoOptions) -> None:
    """Print the model card: data, settings, quality and file of a model."""
    from composer.checkpoints import store

    path = store.resolve_model(Path(options.name))
    if options.json:
        from composer.checkpoints.file import digest, read_header

        header = read_header(path)
        facts = {name: getattr(header, name) for name in ("representation", "options", "config", "record", "program")}
        facts = {"name": path.stem, **facts, "architecture": header.model, "sha256": digest(path), "path": str(path)}
        console.write_json(facts, indent=1)
        return
    from composer.cli.render.model_card import card

    console.write(card(path, console.width))


def path(console: "Console", options: PathOptions) -> None:
    """Print the path of a model, or of the folder of your models."""
    from composer.checkpoints import store
    from composer.system.paths import models_folder

    if not options.name:
        console.write(f"{models_folder()}\n")
        return
    found = store.model_named(options.name.removesuffix(store.SUFFIX))
    if found is None:
        raise CheckpointError(f"no model '{options.name}'", store.name_hint(options.name))
    console.write(f"{found}\n")


def export(console: "Console", options: ExportOptions) -> None:
    """Write a model to a file, to keep or to share.

    `composer models import FILE` reads it. The file contains no code, but it does contain the melodies of the
    training data.
    """
    from composer.checkpoints import file as checkpoint_file
    from composer.checkpoints import store
    from composer.cli.output.files import check_replaceable, names_folder, new_folder_note

    source = store.resolve_model(Path(options.name))
    checkpoint_file.read_header(source)
    name = Path(options.name).name.removesuffix(store.SUFFIX)
    target = Path(options.file) / f"{name}{store.SUFFIX}" if names_folder(options.file) else Path(options.file)
    if target.suffix != store.SUFFIX:
        renamed = shlex.quote(f"{target}{store.SUFFIX}")
        raise UsageError(
            f"invalid name for a model file: '{target}'",
            f"composer models export {shlex.quote(options.name)} {renamed}",
        )
    check_replaceable(target, force=options.force, hint="use another name, or overwrite it with --force")
    note = new_folder_note(target.parent)
    checkpoint_file.copy(source, target)
    console.say(f"wrote {target}{note}")


def import_(console: "Console", options: ImportOptions) -> None:
    """Add a model file to your models, after checking that it works.

    A checkpoint contains no code, so files from other people are safe to import.
    """
    from composer.api.source import missing_file_error
    from composer.checkpoints import management, store
    from composer.checkpoints.file import NotACheckpoint
    from composer.checkpoints.load import load_model

    if options.file.is_dir():
        raise UsageError(f"{options.file} is a folder", "name a .safetensors file in it")
    if not options.file.exists():
        raise missing_file_error(str(options.file))
    try:
        model = load_model(options.file)
    except NotACheckpoint as error:
        raise CheckpointError(error.message, f"`composer models export` writes a {store.SUFFIX} file") from error
    name = options.name or options.file.name.removesuffix(store.SUFFIX)
    if options.name is None and store.is_pretrained_name(name):
        hint = f"composer models import {shlex.quote(str(options.file))} --name {store.free_name(name)}"
        raise UsageError(f"'{name}' is the name of a bundled model", hint)
    added = management.add(options.file, name)
    kind = model.header.representation
    console.say(f"imported {added}")
    console.say(f"generate: composer gen {kind} --checkpoint {shlex.quote(name)}")
