"""Checkpoints: one safetensors file with a model's weights and, as JSON, all that is needed to play or go on.

Nothing is ever unpickled, and torch is not needed to read one. Files are written beside their place, synced and then
renamed, so that a reader finds the old one or the new one and never half of either.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, SequenceSpec
from composer.checkpoints.old_names import current_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
"""The number of the layout described here; a file with a higher one is refused."""

MAX_HEADER = 1024 * 1024
_KEY = "composer"
_EXTRA = "extra:"
"""What the names of arrays that are no weights begin with; no part of a network has a colon in its name."""

_READABLE_HINT = "check its name, and that you may read it"
_KINDS: Mapping[type, Sequence[str]] = {
    str: ("representation", "model", "program"),
    int: ("representation_version", "model_version", "format"),
    dict: ("options", "state", "config", "record"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """All of a checkpoint but its weights.

    `options` and `config` are the representation's and the model's settings, `state` what the representation learnt,
    `record` how it was trained (data, split, steps, best validation value).
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
        """One line of JSON, keys in order, so that equal headers are equal bytes."""
        data = {**asdict(self), "spec": self.spec.to_json()}
        return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A header and the weights by name; `digest` is that of the file they were read from.

    `extra` are arrays of whole numbers that are no weights and too large for the header.
    """

    header: Header
    weights: Mapping[str, NDArray[Any]]
    digest: str = ""
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def with_record(self, **record: Any) -> Checkpoint:
        """The same with these entries added to the training record."""
        return replace(self, header=replace(self.header, record={**self.header.record, **record}), digest="")


class NotFinite(CheckpointError):
    """Weights that are infinite, or no numbers."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`, atomically. Raises CheckpointError where it cannot be written."""
    extra = {_EXTRA + name: array for name, array in checkpoint.extra.items()}
    save_arrays(path, {**checkpoint.weights, **extra}, checkpoint.header.to_json())


def load(path: Path, half: bool = False) -> Checkpoint:
    """Read a checkpoint; weights stored as fp16 come back as fp32 unless `half`. Raises CheckpointError."""
    import numpy as np

    arrays, text = load_arrays(path)
    widen = {name: a.astype(np.float32) if a.dtype == np.float16 and not half else a for name, a in arrays.items()}
    extra = {name.removeprefix(_EXTRA): widen.pop(name) for name in arrays if name.startswith(_EXTRA)}
    return Checkpoint(header_of(path, text), widen, digest(path), extra)


def load_extra(path: Path, name: str) -> NDArray[Any] | None:
    """Read one array that is no weight, and nothing else; None where there is none. Raises CheckpointError."""
    return load_arrays(path, only=_EXTRA + name)[0].get(_EXTRA + name)


def read_header(path: Path) -> Header:
    """Read all but the weights. Raises CheckpointError."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= MAX_HEADER + 4 * MAX_HEADER:
                raise _not_a_checkpoint(path)
            described = json.loads(file.read(size))
            text = described.pop("__metadata__", {}).get(_KEY)
            if path.stat().st_size != 8 + size + max(
                (each["data_offsets"][1] for each in described.values()), default=0
            ):
                raise _not_a_checkpoint(path)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}", _READABLE_HINT) from error
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError) as error:
        raise _not_a_checkpoint(path) from error
    return header_of(path, text)


def digest(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal: the identity of a model."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: str) -> None:
    """Write named arrays and one text, atomically. Raises CheckpointError for infinities, nans and full disks."""
    import numpy as np
    from safetensors.numpy import save as to_bytes

    if len(metadata.encode()) > MAX_HEADER:
        raise CheckpointError(f"the description of {path.name} is larger than 1 MB", "store large values as tensors")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise NotFinite(f"`{name}` holds values that {array.dtype} cannot", "train with a lower --lr")
    # safetensors writes transposed and Fortran-ordered arrays as if they were C-ordered, silently
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_bytes(path, to_bytes(contiguous, {_KEY: metadata}))


def load_arrays(path: Path, only: str | None = None) -> tuple[dict[str, NDArray[Any]], str]:
    """Read what `save_arrays` wrote; of the arrays, the one named alone, where one is. Raises CheckpointError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys() if only in {None, name}}  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}", "`composer plugins` lists your models") from error
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}", _READABLE_HINT) from error
    except SafetensorError as error:
        raise _not_a_checkpoint(path) from error
    if _KEY not in metadata:
        raise _not_a_checkpoint(path)
    return arrays, metadata[_KEY]


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all. Raises CheckpointError naming it."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        hint = "make room on the disk" if error.errno == errno.ENOSPC else "choose a place that you may write to"
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}", hint) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def header_of(path: Path, text: str | None) -> Header:
    """The header that `text` is, read from `path`. Raises CheckpointError."""
    if text is None:
        raise _not_a_checkpoint(path)
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise CheckpointError(
                f"{path} was written by composer {data['program']} in a newer format", "upgrade this program"
            )
        header = Header(**{**data, "spec": SequenceSpec.from_json(data["spec"])})
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise _not_a_checkpoint(path) from error
    if not all(isinstance(getattr(header, name), kind) for kind, names in _KINDS.items() for name in names):
        raise _not_a_checkpoint(path)
    return replace(header, record=current_record(header.record))


def _not_a_checkpoint(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a whole checkpoint of this program", "it may be cut short; copy it again, or train a new one"
    )
