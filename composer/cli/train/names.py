"""Choose and reserve the name of a model to train, before anything is read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from composer.api import ComposerError, Representation, UsageError
from composer.api.errors import suggest
from composer.checkpoints import store, training_files
from composer.cli.output.files import check_replaceable, reporting_write_errors, reserved
from composer.cli.train.options import TrainOptions
from composer.system.locks import NameInUse
from composer.training.resume import is_of_training


class Output(NamedTuple):
    """The file for a copy of the model. `replace` says whether the copy may replace a file of another training."""

    path: Path
    replace: bool


class Reservations(ExitStack):
    """Names that stay reserved until it is closed. `unprotected` says which are not kept from other processes."""

    def __init__(self) -> None:
        super().__init__()
        self.unprotected: list[str] = []

    def model(self, path: Path) -> None:
        """Reserve the name of a model. Raises NameInUse, CheckpointError."""
        lock = training_files.reserve(path)
        self.callback(training_files.release, path, lock)
        self.unprotected += [lock.unsupported] if lock.unsupported else []

    def file(self, path: Path) -> None:
        """Reserve an output file. Raises NameInUse, ComposerError."""
        lock = self.enter_context(reserved(path))
        self.unprotected += [lock.unsupported] if lock is not None and lock.unsupported else []


def choose_path(options: TrainOptions, kind: type[Representation], held: Reservations) -> Path:
    """Return the path of the model, whose name is now reserved.

    Raises ComposerError if another one is there that would be overwritten, NameInUse if another process trains it.
    """
    if options.resume:
        return _path_to_resume(options, kind, held)
    if options.name is None:
        return _free_path(kind, held)
    path = store.path_for(options.name)
    _check_name(path)
    held.model(path)
    if _exists(path) and not options.force:
        hint = "use --resume to resume it, --force to overwrite it, or another --name"
        raise ComposerError(f"model '{options.name}' already exists", hint)
    training_files.move_old_files(path)
    return path


def choose_output(options: TrainOptions, model: Path, record: Mapping[str, Any], held: Reservations) -> Output | None:
    """Return --output, else that of the training's `record`, which is now reserved; None if it is the `model` itself.

    Raises ComposerError if it is not a name for a new model, NameInUse if another process writes it.
    """
    recorded = record.get("output")
    if options.output is None and not recorded:
        return None
    path = Path(recorded or "") if options.output is None else options.output.absolute()
    if options.output is not None and path.suffix != store.SUFFIX:
        file = options.output / "mine" if options.output.is_dir() else options.output.with_suffix("")
        hint = f"use -O {options.output}" if "=" in options.output.name else f"use --output {file}{store.SUFFIX}"
        raise UsageError(f"invalid value for --output: '{options.output}'", hint)
    is_own = store.is_own(path)  # then it is the name of a model, which another process may train
    path = store.path_for(training_files.model_name(path)) if is_own else path
    if path == model:
        return None
    if is_own and options.output is not None:
        _check_name(path)
    if is_own:
        held.model(path)
    else:
        held.file(path)
    # earlier versions replaced whatever was at the recorded path
    replace = options.force or (str(path) == recorded and record.get("replace_output", True))
    if not (replace or is_of_training(path, record.get("training"))):
        check_replaceable(path, force=False)
        if is_own and training_files.has_state(path):
            hint = "use another --output, or overwrite it with --force"
            raise ComposerError(f"model '{training_files.model_name(path)}' already exists", hint)
    with reporting_write_errors(path):
        TemporaryFile(dir=path.parent).close()
    return Output(path, replace)


def _check_name(path: Path) -> None:
    """Raise UsageError if the model at `path` would have the name of a bundled one, unless an older version made it."""
    name = training_files.model_name(path)
    if not (path.exists() and store.is_pretrained_name(name)):
        store.check_own_name(name)


def _free_path(kind: type[Representation], held: Reservations) -> Path:
    """Return the path of the first of `abc`, `abc-2` and so on that no model has and that is not in use."""
    base = kind.name.replace(":", "-")  # a plugin of another package may be called distribution:name
    for number in count(2 if store.is_pretrained_name(base) else 1):
        path = store.path_for(base if number == 1 else f"{base}-{number}")
        if _exists(path):
            continue
        with Reservations() as attempt:
            try:
                attempt.model(path)
            except NameInUse:
                continue
            if not _exists(path):  # another process may just have finished it
                held.push(attempt.pop_all())
                held.unprotected += attempt.unprotected
                return path
    raise AssertionError


def _path_to_resume(options: TrainOptions, kind: type[Representation], held: Reservations) -> Path:
    """Return the path of the model to resume, by default the user's newest. Raises ComposerError if there is none."""
    name = options.name
    models = [model for model in store.user_models() if model.header.representation == kind.name]
    path = store.path_for(name) if name else models[0].path if models else None
    if path is not None:
        training_files.check_trusted(path)
    if path and _exists(path):
        held.model(path)
        training_files.move_old_files(path)
        return path
    named = f" --name {shlex.quote(name)}" if name else ""
    start = f"start it: composer train {kind.name} {shlex.join(options.files) or 'tunes/'}{named}"
    if path is not None and training_files.training_folder(path).is_dir():
        if training_files.is_in_use(path):
            held.model(path)
        raise ComposerError(f"the training run '{name}' ended before it was first saved", start)
    known = [model.name for model in models if training_files.has_state(model.path)]
    which = f"named '{name}'" if name else "to resume"
    raise ComposerError(f"no `{kind.name}` training run {which}", suggest(name or "", known) if known else start)


def _exists(path: Path) -> bool:
    return path.exists() or training_files.has_state(path)
