"""The files of a training run, in a folder of their own, so that no model can have their names.

    models/mine.safetensors                        the model
    models/training/mine/state.safetensors         what --resume needs
    models/training/mine/previous.safetensors      the state of the model that --force replaces, until it is replaced
    models/training/mine/update-500.safetensors    a snapshot
    models/training/mine/update-500.abc            a piece generated with it
    models/training/mine/lock                      locked while a process trains the model

Functions take the path of the model. The lock is held while these files change; a killed process leaves its file,
which is harmless, since the system has unlocked it. Earlier versions kept the training files beside the model, as
`mine.training.safetensors` and `mine.update-500.safetensors`.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from composer.api import CheckpointError, ComposerError
from composer.checkpoints import file as checkpoint_file
from composer.system import locks
from composer.system.private_folder import distrust, make_private

SUFFIX = ".safetensors"
FOLDER = "training"
LOCK = "lock"
_OWN_FILE = re.compile(rf"(state|previous){re.escape(SUFFIX)}|update-\d+\.\w+")
"""The files in a training folder, except the lock."""
_SNAPSHOT = re.compile(r"(.+)\.update-(\d+)")


def model_name(path: Path) -> str:
    """Return the name of a model."""
    return path.name.removesuffix(SUFFIX)


def training_folder(path: Path) -> Path:
    """Return the folder of the training files, which may not exist."""
    return path.parent / FOLDER / model_name(path)


def state_path(path: Path) -> Path:
    """Return the path of the training state, which may not exist."""
    return training_folder(path) / f"state{SUFFIX}"


def snapshot_path(path: Path, update: int) -> Path:
    """Return the path of the snapshot of an update, which may not exist."""
    return training_folder(path) / f"update-{update}{SUFFIX}"


def snapshot_named(models: Path, name: str) -> Path | None:
    """Return the snapshot `MODEL.update-N` of a model in the folder `models`; None if there is none."""
    found = _SNAPSHOT.fullmatch(name)
    path = found and snapshot_path(models / f"{found[1]}{SUFFIX}", int(found[2]))
    return path if path and path.is_file() else None


def possible_states(path: Path) -> tuple[Path, Path]:
    """Return the path of the training state, and the one that it had in earlier versions; they may not exist."""
    return state_path(path), _old_state(path)


def has_state(path: Path) -> bool:
    """Return whether there is a training state, also one of an earlier version."""
    return state_path(path).is_file() or _is_of_kind(_old_state(path), "training")


def reserve(path: Path) -> locks.Lock:
    """Reserve the name of a model for this process. Raises NameInUse if another one trains it, CheckpointError.

    Its folders are created. Raises CheckpointError also if others can write to them.
    """
    hint = "wait for it to end, or use another --name"
    try:
        make_private(path.parent)
        check_trusted(path)
        return locks.acquire(training_folder(path) / LOCK, f"model '{model_name(path)}'", hint)
    except OSError as error:
        raise CheckpointError(
            f"cannot write to {training_folder(path)}: {error.strerror or error}", "set COMPOSER_HOME to another folder"
        ) from error


def check_trusted(path: Path) -> None:
    """Raise CheckpointError if others can write to the folder of a model or of its training files."""
    folder = training_folder(path)
    if (distrusted := distrust(path.parent) or distrust(folder.parent) or distrust(folder)) is not None:
        raise CheckpointError(f"cannot use your model '{model_name(path)}', since {distrusted.reason}", distrusted.hint)


def release(path: Path, lock: locks.Lock) -> None:
    """Give the name back, and remove the folder if it is empty."""
    lock.release()
    with contextlib.suppress(OSError):
        training_folder(path).rmdir()
        training_folder(path).parent.rmdir()


def move_old_files(path: Path) -> None:
    """Move the training files that an earlier version kept beside the model. Raises CheckpointError."""
    moves = {}
    if not state_path(path).exists() and _is_of_kind(_old_state(path), "training"):
        moves[_old_state(path)] = state_path(path)
    if path.parent.is_dir():
        for old in _beside(path):
            found = _SNAPSHOT.fullmatch(old.stem)
            if found and found[1] == model_name(path) and _is_of_kind(old.with_suffix(SUFFIX), "snapshot"):
                moves[old] = snapshot_path(path, int(found[2])).with_suffix(old.suffix)
    moves = dict(sorted(moves.items(), key=lambda each: each[0].suffix == SUFFIX))
    try:
        for old, new in moves.items():
            make_private(new.parent)
            old.replace(new)
    except OSError as error:
        raise CheckpointError(
            f"cannot move the training files of '{model_name(path)}': {error.strerror or error}",
            f"check the permissions of {path.parent}",
        ) from error


def set_aside_state(path: Path) -> None:
    """Keep the state of the model that is going to be replaced until `forget_previous_state`."""
    with contextlib.suppress(FileNotFoundError):
        if not _previous(path).exists():
            state_path(path).rename(_previous(path))


def bring_back_state(path: Path) -> None:
    """Remove the state, and put the one in its place that was set aside."""
    state_path(path).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        _previous(path).rename(state_path(path))


def forget_previous_state(path: Path) -> None:
    """Remove the state that was set aside, as its model has been replaced."""
    _previous(path).unlink(missing_ok=True)


def move_to(path: Path, new: Path) -> None:
    """Move the training files of the model at `path` to those of the one at `new`. Raises OSError."""
    for file in _files(path):
        make_private(training_folder(new))
        file.replace(training_folder(new) / file.name)


def remove_all(path: Path) -> None:
    """Remove the state and the snapshots of a model. Raises OSError."""
    for file in _files(path):
        file.unlink()


def size(path: Path) -> int:
    """Return the size of the state and the snapshots in bytes."""
    return sum(file.stat().st_size for file in _files(path))


def names_with_files(models: Path) -> list[str]:
    """Return the names in the folder `models` that have training files, also those without a model."""
    folder = models / FOLDER
    found = sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    return [name for name in found if _files(models / f"{name}{SUFFIX}")]


def is_in_use(path: Path) -> bool:
    """Return whether a process trains the model, or changes its files."""
    if not (training_folder(path) / LOCK).is_file():
        return False
    try:
        lock = reserve(path)
    except ComposerError:
        return True
    release(path, lock)
    return False


def _files(path: Path) -> list[Path]:
    """Return the state and the snapshots of a model, and the pieces generated with them."""
    folder = training_folder(path)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in found if file.is_file() and _OWN_FILE.fullmatch(file.name)]


def _previous(path: Path) -> Path:
    return training_folder(path) / f"previous{SUFFIX}"


def _old_state(path: Path) -> Path:
    return path.with_name(f"{model_name(path)}.training{SUFFIX}")


def _beside(path: Path) -> list[Path]:
    """Return the files beside a model whose names begin with its name."""
    return [each for each in path.parent.iterdir() if each.name.startswith(f"{model_name(path)}.")]


def _is_of_kind(path: Path, kind: str) -> bool:
    """Return whether there is a checkpoint of that kind at `path`."""
    try:
        return path.is_file() and checkpoint_file.read_header(path).record.get("kind") == kind
    except CheckpointError:
        return False
