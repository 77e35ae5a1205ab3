"""The models at hand: the user's own, by name, and those that come with the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from composer.api import CheckpointError, UsageError
from composer.checkpoints import file as checkpoint_file
from composer.system.paths import models_folder

SUFFIX = ".safetensors"
MAX_NAME_LENGTH = 100
"""The most letters of a name. File systems take 255 bytes, with what is put before and after it."""

PRETRAINED = Path(__file__).parent.parent / "pretrained"


class UserModel(NamedTuple):
    """A checkpoint in the user's folder of models."""

    name: str
    path: Path
    header: checkpoint_file.Header

    @property
    def finished(self) -> bool:
        """Whether its training came to its end."""
        return bool(self.header.record.get("finished"))


def path_for(name: str) -> Path:
    """Where the model called `name` is kept. Raises UsageError for what cannot be a name."""
    if len(name) > MAX_NAME_LENGTH or len(name.encode("utf-8", "surrogatepass")) > 2 * MAX_NAME_LENGTH:
        raise UsageError(f"`{name[:20]}...` is too long for a model's name", f"use at most {MAX_NAME_LENGTH} letters")
    if not re.fullmatch(r"[\w][\w .+-]*", name) or name.endswith((SUFFIX, ".", " ")):
        raise UsageError(f"`{name}` cannot be a model's name", "use letters, digits, - and _")
    return models_folder() / f"{name}{SUFFIX}"


def resolve_model(given: Path) -> Path:
    """The checkpoint that a user means: a file, or a model by its name, one of the user's own before a bundled one.

    A folder is no model, and hides none of its name.
    """
    if given.name != str(given) or (given.exists() and not given.is_dir()):
        return given
    name = given.name.removesuffix(SUFFIX)
    own = models_folder() / f"{name}{SUFFIX}"
    return own if own.is_file() else bundled(name) or given


def with_digest(representation: str, digest: str) -> Path | None:
    """The model of `representation`, bundled or the user's own, whose file has that digest; None where there is none.

    Every file is read whole for it, until one has.
    """
    own = (model.path for model in user_models() if model.header.representation == representation)
    every = chain(filter(None, [bundled(representation)]), own)
    return next((path for path in every if checkpoint_file.digest(path) == digest), None)


def user_models() -> Iterator[UserModel]:
    """The user's models, the newest first. Snapshots, and files that are no checkpoints, are passed over."""
    folder = models_folder()
    paths = [path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")] if folder.is_dir() else []
    for path in sorted(paths, key=lambda path: (-path.stat().st_mtime_ns, path.name)):
        try:
            header = checkpoint_file.read_header(path)
        except CheckpointError:
            continue
        if header.record.get("kind", "model") == "model":
            yield UserModel(path.name.removesuffix(SUFFIX), path, header)


def bundled(representation: str) -> Path | None:
    """The model for `representation` that comes with the program; None where there is none."""
    path = PRETRAINED / f"{representation}{SUFFIX}"
    return path if path.is_file() else None


def default(representation: str) -> Path:
    """The model to play: the newest finished one of the user's, else the bundled one. Raises CheckpointError."""
    for model in user_models():
        if model.finished and model.header.representation == representation:
            return model.path
    found = bundled(representation)
    if found is None:
        raise CheckpointError(
            f"there is no model for `{representation}` yet", f"train one: composer train {representation} FILES..."
        )
    return found
