"""The model that is used for each representation without --checkpoint, if the user has chosen one.

The choices are in `defaults.json` in the folder of models: `{"abc": "mine"}`.
"""

from __future__ import annotations

import json
from pathlib import Path

from composer.api import CheckpointError
from composer.system.files import read_regular, write_atomic
from composer.system.paths import models_folder

FILE = "defaults.json"
MAX_BYTES = 1_000_000


def chosen_models() -> dict[str, str]:
    """Return the names of the chosen models by representation. Raises CheckpointError if the file is invalid."""
    path = _path()
    try:
        found = json.loads(read_regular(path, MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        if not path.parent.is_dir():  # a file or a link to nowhere in the place of the folder holds no choice
            return {}
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}", "check its permissions") from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise CheckpointError(f"{path} is invalid", "delete it, then choose models with: composer models use NAME")
    return found


def choose(representation: str, name: str | None) -> None:
    """Choose a model for a representation; None for the default. Raises CheckpointError."""
    found = chosen_models()
    if found.get(representation) == name:
        return
    found.pop(representation, None)
    _write(found if name is None else {**found, representation: name})


def replace_name(name: str, new: str | None) -> list[str]:
    """Choose `new`, or the default for None, where `name` is chosen; return for which representations.

    Raises CheckpointError.
    """
    found = chosen_models()
    affected = [representation for representation, chosen in found.items() if chosen == name]
    for representation in affected:
        choose(representation, new)
    return affected


def _write(found: dict[str, str]) -> None:
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        write_atomic(_path(), text.encode())
    except OSError as error:
        raise CheckpointError(
            f"cannot write {_path()}: {error.strerror or error}", "check the permissions and the free space"
        ) from error


def _path() -> Path:
    return models_folder() / FILE
