"""The melodies of a model's training data, which its checkpoint carries to detect copying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import CheckpointError
from composer.checkpoints.file import Checkpoint
from composer.music.contour import MelodyCollection

_ARRAY = "melodies"


def pack_melodies(melodies: bytes, origin: Checkpoint | None = None) -> dict[str, NDArray[np.uint8]]:
    """Return the extra arrays of a checkpoint for these packed melodies and those of the checkpoint it started from.

    Empty if there is no melody.
    """
    earlier = [] if origin is None or _ARRAY not in origin.extra else [_unpack(origin.extra[_ARRAY], "the origin")]
    joined = MelodyCollection.joined([*earlier, MelodyCollection.from_bytes(melodies)])
    return {_ARRAY: np.frombuffer(joined.to_bytes(), np.uint8)} if joined.tunes else {}


def training_melodies(extra: Mapping[str, NDArray[Any]], owner: str) -> MelodyCollection | None:
    """Return the melodies of the training data from the `extra` arrays of a checkpoint; None if it has none.

    Raises CheckpointError, which names their `owner`, if they are damaged.
    """
    return _unpack(extra[_ARRAY], owner) if _ARRAY in extra else None


def training_titles(extra: Mapping[str, NDArray[Any]], owner: str) -> list[str]:
    """Return the titles of the training data from the `extra` arrays of a checkpoint; none if it has no melodies.

    Raises CheckpointError, which names their `owner`, if they are damaged.
    """
    try:
        return MelodyCollection.titles_in(extra[_ARRAY].tobytes()) if _ARRAY in extra else []
    except ValueError as error:
        raise _damaged(owner, error) from error


def _unpack(array: NDArray[np.uint8], owner: str) -> MelodyCollection:
    try:
        return MelodyCollection.from_bytes(array.tobytes())
    except ValueError as error:
        raise _damaged(owner, error) from error


def _damaged(owner: str, error: ValueError) -> CheckpointError:
    return CheckpointError(f"cannot read the melodies in {owner}: {error}", "train the model again")
