"""Rename, remove, copy and import the user's models, with the files of their training.

Each of these holds the lock of a name while it changes its files, so it fails for a model that is being trained.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import selection, store, training_files
from composer.system.files import move_new


def own_path(name: str, purpose: str = "changed") -> Path:
    """Return the path of the user's model `name`, which may be only a training state.

    Raises ComposerError, which says that a bundled model cannot be changed, or whatever the `purpose` is.
    """
    path = store.path_for(name)
    if exists(path):
        return path
    if store.is_pretrained_name(name):
        copy = f"make a copy of your own: composer models copy {name} {store.free_name(name)}"
        hint = copy if purpose == "changed" else "`composer models` shows which models are your own"
        raise CheckpointError(f"'{name}' is a bundled model, which cannot be {purpose}", hint)
    raise CheckpointError(f"no model '{name}'", store.name_hint(name))


def exists(path: Path) -> bool:
    """Return whether there is a model at `path`, or the training state of one."""
    return path.is_file() or training_files.has_state(path)


def rename(name: str, new: str) -> None:
    """Rename a model, its card and its training files. It stays the chosen one. Raises ComposerError, NameInUse."""
    path = own_path(name)
    with reserved(path), _new(new) as target:
        training_files.move_old_files(path)
        with _reporting(f"cannot rename '{name}'"):
            training_files.move_to(path, target)
            for source, moved in ((path.with_suffix(".md"), target.with_suffix(".md")), (path, target)):
                if source.is_file():
                    move_new(source, moved)
        selection.replace_name(name, new)


def remove(name: str) -> list[str]:
    """Remove a model, its card and its training files. Raises ComposerError, NameInUse.

    Return the representations that it was chosen for.
    """
    path = own_path(name, "removed")
    with reserved(path):
        training_files.move_old_files(path)
        with _reporting(f"cannot remove '{name}'"):
            path.unlink(missing_ok=True)
            path.with_suffix(".md").unlink(missing_ok=True)
            training_files.remove_all(path)
        return selection.replace_name(name, None)


def add(source: Path, name: str) -> Path:
    """Copy the checkpoint at `source` to a new model and return its path; a snapshot becomes a model.

    Raises ComposerError, NameInUse.
    """
    with _new(name) as target:
        if checkpoint_file.read_header(source).record.get("kind", "model") == "model":
            checkpoint_file.copy(source, target)
        else:
            saved = checkpoint_file.load(source, half=True)
            record = {**saved.header.record, "kind": "model"}
            header = replace(saved.header, record=record)
            checkpoint_file.save(target, replace(saved, header=header))
        return target


def prune(path: Path) -> int:
    """Remove the training files of a model and return their size in bytes. Raises ComposerError, NameInUse."""
    with reserved(path), _reporting(f"cannot prune '{training_files.model_name(path)}'"):
        training_files.move_old_files(path)
        size = training_files.size(path)
        training_files.remove_all(path)
        return size


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keep other processes from training the model at `path`. Raises NameInUse, CheckpointError."""
    lock = training_files.reserve(path)
    try:
        yield
    finally:
        training_files.release(path, lock)


@contextlib.contextmanager
def _new(name: str) -> Iterator[Path]:
    """Reserve the name of a new model and yield its path. Raises ComposerError if it is taken."""
    store.check_own_name(name)
    path = store.path_for(name)
    with reserved(path):
        if exists(path):
            hint = f"use another name, or remove it: composer models remove {shlex.quote(name)}"
            raise CheckpointError(f"model '{name}' already exists", hint)
        yield path


@contextlib.contextmanager
def _reporting(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        raise CheckpointError(f"{what}: {error.strerror or error}{place}", "check the permissions") from error
