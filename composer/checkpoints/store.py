"""Models by name: the user's own, the bundled ones, and those of plugins."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from composer.api import CheckpointError, PluginError, UsageError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import selection, training_files
from composer.registry import plugins
from composer.system.paths import models_folder
from composer.system.private_folder import distrust
from composer.system.warnings import warn_once

SUFFIX = training_files.SUFFIX
MAX_NAME_LENGTH = 100
"""In characters. File systems allow 255 bytes, including what is added to the name."""
_DEVICES = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]", re.IGNORECASE)
"""Names that Windows has for devices, also with a suffix."""

PRETRAINED = Path(__file__).parent.parent / "pretrained"


class UserModel(NamedTuple):
    """A checkpoint in the user's folder of models."""

    name: str
    path: Path
    header: checkpoint_file.Header

    @property
    def finished(self) -> bool:
        """Whether its training is finished."""
        return bool(self.header.record.get("finished"))


class PretrainedModel(NamedTuple):
    """A model that comes with a `distribution`: this program, or the package of a plugin."""

    name: str
    path: Path
    distribution: str


def path_for(name: str) -> Path:
    """Return the path of the user's model called `name`. Raises UsageError for an invalid name."""
    if len(name) > MAX_NAME_LENGTH or len(name.encode("utf-8", "surrogatepass")) > 2 * MAX_NAME_LENGTH:
        raise UsageError(
            f"model name too long: '{name[:20]}...'",
            f"use at most {MAX_NAME_LENGTH} letters, and {2 * MAX_NAME_LENGTH} bytes in UTF-8",
        )
    if not re.fullmatch(r"[\w][\w .+-]*", name):
        hint = "start with a letter, digit or _; use letters, digits, spaces, and any of _ - + ."
        raise UsageError(f"invalid model name: '{name}'", hint)
    if name.endswith((SUFFIX, ".", " ")):
        raise UsageError(f"invalid model name: '{name}'", f"a name cannot end in {SUFFIX}, a dot or a space")
    if _DEVICES.fullmatch(name.partition(".")[0].rstrip()):
        raise UsageError(f"invalid model name: '{name}' is a device on Windows", f"use my-{name}, for example")
    return models_folder() / f"{name}{SUFFIX}"


def resolve_model(given: Path) -> Path:
    """Return the path of a checkpoint file, or of a model by name; see `model_named`. A file of that name comes first.

    Raises CheckpointError if there is no model of that name. The path of a file may not exist.
    """
    if given.name != str(given) or (given.exists() and not given.is_dir()):
        return given
    found = model_named(given.name.removesuffix(SUFFIX))
    if found is None and not given.is_dir():
        raise CheckpointError(f"no model '{given}'", name_hint(given.name))
    return found or given


def model_named(name: str) -> Path | None:
    """Return the path of a model by name, or of a snapshot called `mine.update-500`; None if there is none.

    The user's own models come first, then the bundled ones, then those of plugins. Raises CheckpointError for one of
    the user's models if others can write to its folder.
    """
    if Path(name).name != name:
        return None
    usual = models_folder() / f"{name}{SUFFIX}"
    own = usual if usual.is_file() else training_files.snapshot_named(models_folder(), name)
    if own is None:
        return bundled(name) or _of_plugin(name)
    if (distrusted := distrust(own.parent)) is not None:
        raise CheckpointError(f"cannot use your model '{name}', since {distrusted.reason}", distrusted.hint)
    return own


def name_hint(name: str) -> str:
    """Return what to do about a `name` that no model has: similar names, if there are any."""
    from difflib import get_close_matches  # not needed without an error

    known = [*(model.name for model in user_models()), *(model.name for model in pretrained_models())]
    wanted = name.removesuffix(SUFFIX).partition(".update-")[0]
    near = get_close_matches(wanted, dict.fromkeys(known), 1)
    return f"did you mean `{near[0]}`?" if near else "`composer models` lists all models"


def is_pretrained_name(name: str) -> bool:
    """Return whether a bundled model or one of a plugin has that name, which no new model of the user may have."""
    try:
        return (bundled(name) or _of_plugin(name)) is not None
    except PluginError:  # several have it
        return True


def check_own_name(name: str) -> None:
    """Raise UsageError if no new model of the user may have that name."""
    path_for(name)
    if is_pretrained_name(name):
        raise UsageError(f"'{name}' is the name of a bundled model", f"use another name, such as {free_name(name)}")


def free_name(base: str) -> str:
    """Return the first of `abc-2`, `abc-3` and so on that no model has."""
    return next(name for number in count(2) if not path_for(name := f"{base}-{number}").exists())


def with_digest(representation: str, digest: str) -> Path | None:
    """Return the pretrained or user's model of `representation` whose file has that digest, None if there is none.

    Files are read whole until one has it.
    """
    own = (model.path for model in user_models() if model.header.representation == representation)
    paths = chain(_bundled_for(representation), own, _of_plugins_for(representation))
    for path in paths:
        with suppress(CheckpointError):  # removed since it was listed
            if checkpoint_file.digest(path) == digest:
                return path
    return None


def user_models() -> Iterator[UserModel]:
    """Yield the user's models, newest first, without snapshots. Files that cannot be read are named and skipped."""
    for path in _own_files():
        try:
            header = checkpoint_file.read_header(path)
        except CheckpointError as error:
            warn_once(f"skipped {path.name} in {path.parent}: {error.message.replace(str(path), 'it')}")
            continue
        if header.record.get("kind", "model") == "model":
            yield UserModel(path.name.removesuffix(SUFFIX), path, header)


def _own_files() -> list[Path]:
    """Return the files in the user's folder of models, newest first; none if others can write to it, with a warning."""
    folder, found = models_folder(), []
    if not _is_trusted(folder):
        return []
    try:
        for path in folder.iterdir():  # unlike glob, it raises an error if the folder cannot be read
            if path.name.startswith(".") or not path.name.endswith(SUFFIX):
                continue
            try:
                found.append((-path.stat().st_mtime_ns, path.name, path))
            except OSError as error:  # a link to nowhere, or to itself
                warn_once(f"skipped {path.name} in {folder}: {error.strerror or error}")
    except FileNotFoundError:
        return []
    except OSError as error:
        warn_once(f"cannot read {folder}: {error.strerror or error}")
    return [path for _, _, path in sorted(found)]


def _is_trusted(folder: Path) -> bool:
    """Return whether only the user can write to the folder of models; else warn."""
    if (distrusted := distrust(folder)) is not None:
        warn_once(f"ignored your models, since {distrusted.reason}; {distrusted.hint}")
    return distrusted is None


def bundled(name: str) -> Path | None:
    """Return the bundled model `name`, None if there is none. That of a representation is its default model."""
    path = PRETRAINED / f"{name}{SUFFIX}"
    return path if path.is_file() else None


def _bundled_for(representation: str) -> Iterator[Path]:
    """Yield the bundled models for `representation`, the default one first, without unreadable files."""
    default_one = bundled(representation)
    yield from filter(None, [default_one])
    for path in sorted(PRETRAINED.glob(f"*{SUFFIX}")):
        with suppress(CheckpointError):
            if path != default_one and checkpoint_file.read_header(path).representation == representation:
                yield path


def pretrained_models() -> Iterator[PretrainedModel]:
    """Yield the bundled models, by name, then those of plugins."""
    own = plugins.distribution("lstm")
    built_in = {path.stem: path for path in sorted(PRETRAINED.glob(f"*{SUFFIX}"))}
    yield from (PretrainedModel(name, path, own) for name, path in built_in.items())
    for name, added in plugins.extensions("pretrained", built_in).items():
        yield PretrainedModel(name, added.value, added.distribution)


def is_own(path: Path) -> bool:
    """Return whether a checkpoint is in the user's folder of models."""
    return path.parent == models_folder() or os.path.realpath(path.parent) == os.path.realpath(models_folder())


def _of_plugin(name: str) -> Path | None:
    """Return the model `name` of a plugin. Raises PluginError if the name is ambiguous."""
    found = plugins.extension("pretrained", name, [path.stem for path in PRETRAINED.glob(f"*{SUFFIX}")])
    return found.value if found is not None else None


def _of_plugins_for(representation: str) -> Iterator[Path]:
    """Yield the models of plugins for `representation`, without invalid files."""
    for added in plugins.extensions("pretrained").values():
        with suppress(CheckpointError):
            if checkpoint_file.read_header(added.value).representation == representation:
                yield added.value


def default(representation: str) -> Path:
    """Return the model of `representation` that `composer models use` has chosen, else a pretrained one.

    The bundled one comes before those of plugins. Without any, it is the user's newest finished one. Raises
    CheckpointError.
    """
    name = selection.chosen_models().get(representation) if _is_trusted(models_folder()) else None
    if name is not None:
        if (path := model_named(name)) is None:
            hint = f"choose another one: composer models use {representation if bundled(representation) else 'NAME'}"
            raise CheckpointError(f"model '{name}', which was chosen for `{representation}`, is missing", hint)
        return path
    found = pretrained(representation) or newest(representation)
    if found is None:
        raise CheckpointError(
            f"no model for `{representation}` yet", f"train one: composer train {representation} FILE..."
        )
    return found


def pretrained(representation: str) -> Path | None:
    """Return the bundled model for `representation`, else that of a plugin, None if there is none."""
    return bundled(representation) or next(_of_plugins_for(representation), None)


def newest(representation: str) -> Path | None:
    """Return the user's newest finished model for `representation`, None if there is none."""
    own = (model for model in user_models() if model.finished and model.header.representation == representation)
    return next((model.path for model in own), None)
