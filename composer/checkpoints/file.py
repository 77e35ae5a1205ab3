"""The checkpoint file: safetensors with a model's weights and, as JSON, everything needed to generate or resume.

Nothing is unpickled, and torch is not needed to read one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, SequenceSpec
from composer.api.limits import limit_hint, raised
from composer.checkpoints import tensors
from composer.checkpoints.old_names import current_options, current_record
from composer.checkpoints.record import first_misfit
from composer.system.files import is_disk_full, write_atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
"""Version of the layout; a file with a higher one is rejected."""

MAX_HEADER = 1024 * 1024

MAX_BYTES, MAX_TRAINING_BYTES = 256 * 1024 * 1024, 4 * 1024**3
"""Of a model, which is read as a whole, and of the state of a training run."""

_KEY = "composer"
_NAME_HINT = "use a name that `composer models` lists, or a .safetensors file that `composer train` wrote"
_COPY_HINT = "copy it again; `composer models` lists all models"
_EXTRA = "extra:"
"""Prefix of the names of arrays that are not weights; no part of a network has a colon in its name."""

_KINDS: Mapping[type, Sequence[str]] = {
    str: ("representation", "model", "program"),
    int: ("representation_version", "model_version", "format"),
    dict: ("options", "state", "config", "record"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of a checkpoint, without its weights.

    `options` and `config` are the settings of representation and model, `state` is that of the fitted representation,
    `record` how it was trained (data, split, updates, best validation value).
    """

    representation: str
    representation_version: int
    options: Mapping[str, Any]
    state: Mapping[str, Any]
    model: str
    config: Mapping[str, Any]
    spec: SequenceSpec
    record: Mapping[str, Any] = field(default_factory=dict)
    program: str = ""
    model_version: int = 1
    format: int = FORMAT

    def to_json(self) -> str:
        """Return one line of JSON with sorted keys, so that equal headers are equal bytes."""
        data = {**asdict(self), "spec": self.spec.to_json()}
        return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A header and the weights by name; `digest` and `size` in bytes are those of the file they were read from.

    `extra` are integer arrays that are not weights and too large for the header.
    """

    header: Header
    weights: Mapping[str, NDArray[Any]]
    digest: str = ""
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    size: int = 0

    def with_record(self, **record: Any) -> Checkpoint:
        """Return a copy with these entries added to the training record."""
        return replace(self, header=replace(self.header, record={**self.header.record, **record}), digest="")


class DamagedCheckpoint(CheckpointError):
    """The checkpoint at `path` is incomplete, or does not hold what was written."""

    def __init__(self, message: str, hint: str | None = None, path: Path | None = None) -> None:
        super().__init__(message, hint)
        self.path = path


class NotACheckpoint(CheckpointError):
    """A file of another kind."""


class NotFinite(CheckpointError):
    """Weights that are infinite or nan."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`, atomically. Raises CheckpointError."""
    extra = {_EXTRA + name: array for name, array in checkpoint.extra.items()}
    save_arrays(path, {**checkpoint.weights, **extra}, checkpoint.header.to_json())


def load(
    path: Path, half: bool = False, limit: int = MAX_BYTES, check: Callable[[Header], object] | None = None
) -> Checkpoint:
    """Read a checkpoint of at most `limit` bytes, converting fp16 weights to fp32 unless `half`.

    All of it is of one file, also if `path` is replaced meanwhile. `check` is called with the header before the weights
    are read, and may raise any error. Raises CheckpointError.
    """
    import numpy as np

    def check_metadata(metadata: Mapping[str, str]) -> None:
        if check is not None:
            check(header_of(path, metadata.get(_KEY)))

    found = _read(path, limit, check_metadata)
    arrays = found.arrays
    widen = {name: a.astype(np.float32) if a.dtype == np.float16 and not half else a for name, a in arrays.items()}
    extra = {name.removeprefix(_EXTRA): widen.pop(name) for name in arrays if name.startswith(_EXTRA)}
    return Checkpoint(header_of(path, found.metadata[_KEY]), widen, found.sha256, extra, found.size)


def copy(source: Path, path: Path, *, replace: bool = True) -> None:
    """Copy the checkpoint at `source`, byte for byte and atomically.

    Raises CheckpointError, without `replace` also if there is a file at `path`.
    """
    with _as_checkpoint_errors(source):
        data = source.read_bytes()
    _write(path, data, replace=replace)


def read_header(path: Path) -> Header:
    """Read the header without the weights. Raises CheckpointError."""
    with _as_checkpoint_errors(path):
        text = tensors.read_metadata(path).get(_KEY)
    return header_of(path, text)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of the arrays by name, without the arrays. Raises CheckpointError."""
    with _as_checkpoint_errors(path):
        return tensors.read_shapes(path)


def digest(path: Path) -> str:
    """Return the SHA-256 of the file in hexadecimal, which identifies a model. Raises CheckpointError."""
    with _as_checkpoint_errors(path):
        return tensors.digest(path)


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: str) -> None:
    """Write named arrays and a text, atomically, with their digest.

    Raises CheckpointError for infinities, nans, types that files cannot hold and failed writes.
    """
    import numpy as np

    if len(metadata.encode()) > MAX_HEADER:
        raise CheckpointError(f"the header of {path.name} is larger than 1 MB", "store large values as tensors")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise NotFinite(f"`{name}` has values that are not finite in {array.dtype}", "train with a lower --lr")
    try:
        data = tensors.encode(arrays, {_KEY: metadata})
    except TypeError as error:
        raise CheckpointError(f"cannot write {path}: {error}", "its plugin should use integers or floats") from error
    _write(path, data)


def _write(path: Path, data: bytes, *, replace: bool = True) -> None:
    try:
        write_atomic(path, data, replace=replace)
    except OSError as error:
        hint = "free up disk space" if is_disk_full(error) else "choose a folder that you may write to"
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}", hint) from error


def load_arrays(path: Path, limit: int = MAX_BYTES) -> tuple[dict[str, NDArray[Any]], str]:
    """Read what `save_arrays` wrote. Raises CheckpointError, also for more than `limit` bytes."""
    found = _read(path, limit)
    return found.arrays, found.metadata[_KEY]


def _read(path: Path, limit: int, check: Callable[[Mapping[str, str]], object] | None = None) -> tensors.Tensors:
    """Return all that the file holds, with a header in its metadata. Raises CheckpointError or from `check`."""
    with _as_checkpoint_errors(path, limit):
        found = tensors.read(path, raised(limit), check)
    if _KEY not in found.metadata:
        raise _not_a_checkpoint(path)
    return found


@contextmanager
def _as_checkpoint_errors(path: Path, limit: int = MAX_BYTES) -> Iterator[None]:
    """Raise CheckpointError for what reading the file at `path` raises."""
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error) from error
    except tensors.LargeFile as error:
        fault = f"{path} has {error.size // 2**20:,} MB, more than {raised(limit) // 2**20:,} MB"
        raise CheckpointError(fault, limit_hint("use a smaller model", error.size, limit)) from error
    except tensors.InvalidFile as error:
        raise _not_a_checkpoint(path) from error
    except tensors.DamagedFile as error:
        raise DamagedCheckpoint(f"{path} is damaged: {error}", _COPY_HINT, path) from error


_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def header_of(path: Path, text: str | None) -> Header:
    """Parse the header `text` of the file at `path`, with old names translated. Raises CheckpointError."""
    if text is None:
        raise _not_a_checkpoint(path)
    try:
        data = json.loads(text)
        if _ESCAPED_SURROGATE.search(text):  # names of files may have some, but only those that stand for bytes
            json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogateescape")
        if data["format"] > FORMAT:
            raise CheckpointError(
                f"{path} was written by composer {data['program']} in a newer format", "upgrade composer-cli"
            )
        spec, record = data["spec"], current_record(data.get("record", {}))
        if (place := first_misfit(spec, record)) is not None:
            message = f"{path} is damaged: `{place}` in its header is missing or invalid"
            raise DamagedCheckpoint(message, _COPY_HINT, path)
        header = Header(**{**data, "spec": SequenceSpec.from_json(spec), "record": record})
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise _not_a_checkpoint(path) from error
    if not all(isinstance(getattr(header, name), kind) for kind, names in _KINDS.items() for name in names):
        raise _not_a_checkpoint(path)
    if not all(getattr(header, name).isprintable() for name in _KINDS[str]):  # they are parts of messages
        raise _not_a_checkpoint(path)
    return replace(header, options=current_options(header.representation, header.options))


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    if isinstance(error, FileNotFoundError):
        return CheckpointError(f"no model '{path}'", _near_hint(path))
    return CheckpointError(f"cannot read {path}: {error.strerror or error}", "check the name and the permissions")


def _near_hint(path: Path) -> str:
    """Return the model in the same folder whose name is like that of `path`, if there is one, or what else to do."""
    from difflib import get_close_matches  # not needed without an error

    with suppress(OSError):
        models = {each.stem: each for each in path.parent.iterdir() if each.suffix == ".safetensors"}
        if near := get_close_matches(path.name.removesuffix(".safetensors"), models, 1):
            return f"did you mean `{models[near[0]]}`?"
    if absent := next((folder for folder in reversed(path.parents) if not folder.exists()), None):
        return f"there is no folder `{absent}`; {_NAME_HINT}"
    return _NAME_HINT


def _not_a_checkpoint(path: Path) -> CheckpointError:
    if path.suffix != ".safetensors":
        return NotACheckpoint(f"{path} is not a checkpoint", _NAME_HINT)
    return DamagedCheckpoint(f"{path} is not a complete checkpoint", _COPY_HINT, path)
