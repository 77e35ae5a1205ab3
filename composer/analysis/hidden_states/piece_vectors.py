"""A vector for each piece, from its hidden states, by which pieces are compared.

It holds the mean and the standard deviation of each unit over the piece, in a key without signs if the representation
can transpose it there and the model knows all its symbols. Measured on 500 tunes of corpus:ryansMammoth with the
bundled model `abc`: a transposed tune has its original as the nearest of all for 86 %, without a common key for 8 %;
the five nearest have the same rhythm for 88 %, with means alone for 83 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.analysis.hidden_states.run import EncodedPiece, HiddenStateModel, encode, hidden_states
from composer.api import EncodeError, Piece, RejectedPiece, Representation
from composer.data.encoded_split import NOT_ENCODABLE
from composer.music.keys import key_name, parse_key

Floats = NDArray[np.float32]

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""


class Vectors(NamedTuple):
    """The vectors (N, 2 U) of the pieces at `indices`; pieces that cannot be encoded have none."""

    indices: Sequence[int]
    values: Floats


def piece_vectors(
    model: HiddenStateModel, pieces: Sequence[Piece], reject: Callable[[RejectedPiece], object],
    progress: Progress | None = None,
) -> Vectors:  # fmt: skip
    """Return the vectors of `pieces`, in order. `reject` is called with each that cannot be encoded, or is empty."""
    encoded, indices = list[EncodedPiece](), list[int]()
    for index, piece in enumerate(pieces):
        if progress is not None:
            progress("encoding", index, len(pieces))
        try:
            found = _encode(model, piece)
        except EncodeError as error:
            reject(RejectedPiece(NOT_ENCODABLE, piece.source, error.message.removeprefix(f"{piece.source} has ")))
            continue
        if len(found.steps):
            encoded.append(found)
            indices.append(index)
        else:
            reject(RejectedPiece("a piece without steps", piece.source))
    if not encoded:
        return Vectors([], np.zeros((0, 0), np.float32))
    total = sum(len(each.steps) for each in encoded)
    rows = dict[int, Floats]()
    told = partial(_tell_steps, progress, total) if progress is not None else None
    if told is not None:
        told(0)  # the first batch counts for the time left
    for number, states in hidden_states(model, encoded, told):
        rows[number] = np.concatenate([states.mean(axis=0), states.std(axis=0)])
    return Vectors(indices, np.stack([rows[number] for number in range(len(encoded))]))


def _tell_steps(progress: Progress, total: int, done: int) -> None:
    progress("running the model", done, total)


def _encode(model: HiddenStateModel, piece: Piece) -> EncodedPiece:
    """Encode `piece` in the common key, else in its own if the model lacks a symbol there. Raises EncodeError."""
    try:
        return encode(model, in_common_key(model.representation, piece), labeled=False)
    except EncodeError:
        return encode(model, piece, labeled=False)


def in_common_key(representation: Representation, piece: Piece) -> Piece:
    """Return `piece` in the key of its mode without signs, if it is among its variants; else unchanged."""
    key = parse_key(piece.labels.get("key", ""))
    if key is None or key.sharps == 0:
        return piece
    for variant in representation.variants_in(piece, key_name(0, key.mode)):
        moved = parse_key(variant.labels.get("key", ""))
        if moved is not None and moved.sharps == 0:
            return variant
    return piece


def standardized(values: Floats, reference: Floats | None = None) -> Floats:
    """Return vectors with mean 0 and deviation 1 of each number over the `reference`, by default themselves."""
    reference = values if reference is None else reference
    deviation = reference.std(axis=0)
    return np.asarray((values - reference.mean(axis=0)) / np.where(deviation > 1e-6, deviation, 1), np.float32)


def similarities(queries: Floats, reference: Floats) -> Floats:
    """Return the cosine similarity (Q, N), from -1 to 1, of standardized `queries` to those of the `reference`."""
    return np.asarray(_unit_length(standardized(queries, reference)) @ _unit_length(standardized(reference)).T)


def _unit_length(values: Floats) -> Floats:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9))
