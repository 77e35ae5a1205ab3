"""Run a model over pieces, and get the hidden state after each of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.api import Piece, Representation, SequenceSpec, StepKind, Unsupported
from composer.checkpoints.load import open_checkpoint
from composer.checkpoints.network import load_weights, make_network
from composer.data.encoded_split import pack_piece, piece_features

if TYPE_CHECKING:
    from composer.api.network import Batch, Network

Floats = NDArray[np.float32]

WINDOW = 256
"""Steps that the network reads at a time."""

MAX_ROWS = 32
"""Maximum number of pieces that the network reads side by side."""


class HiddenStateModel(NamedTuple):
    """A network whose hidden states can be seen; `name` is that of its file, `digest` that of its content."""

    name: str
    digest: str
    representation: Representation
    spec: SequenceSpec
    network: Network
    record: Mapping[str, Any]


class EncodedPiece(NamedTuple):
    """A piece for the network: `steps` (T,) or packed frames (T, ...), `features` (T, F), and the indices of labels."""

    steps: NDArray[Any]
    features: NDArray[Any] | None
    conditions: Mapping[str, int]


def load(path: Path) -> HiddenStateModel:
    """Load the model at `path`. Raises CheckpointError, and Unsupported if it has no hidden states to show."""
    from composer.api.network import Network

    opened = open_checkpoint(path)
    header = opened.checkpoint.header
    network = make_network(opened.model, header.spec, opened.config, opened.checkpoint.weights, "the checkpoint")
    if type(network).hidden_states is Network.hidden_states:
        raise Unsupported(
            f"model {path.stem} is of type `{opened.model.name}`, which has no hidden states to show",
            "use a model of type lstm, attn-lstm or rnnrbm: --checkpoint NAME",
        )
    load_weights(network, opened.checkpoint.weights, "the checkpoint")
    network.start_phase(network.phases()[-1])
    record = header.record
    return HiddenStateModel(
        path.stem, opened.checkpoint.digest, opened.representation, header.spec, network.eval(), record
    )


def encode(model: HiddenStateModel, piece: Piece, *, labeled: bool) -> EncodedPiece:
    """Return `piece` as steps without the end symbol; if `labeled`, with those of its labels that the model knows.

    Raises EncodeError.
    """
    spec = model.spec
    steps = pack_piece(model.representation, piece, spec)
    features = piece_features(model.representation, piece, steps, spec) if spec.features else None
    labels = piece.labels if labeled else {}
    conditions = {
        name: values.index(label) if (label := labels.get(name)) in values else -1
        for name, values in spec.conditions.items()
    }
    return EncodedPiece(steps[:-1] if spec.kind is StepKind.TOKENS else steps, features, conditions)


def hidden_states(
    model: HiddenStateModel, pieces: Sequence[EncodedPiece], progress: Callable[[int], object] | None = None
) -> Iterator[tuple[int, Floats]]:
    """Yield the index of each piece and the activations (T, U) of the units after each of its steps.

    Pieces of similar length are read side by side, so they come in order of length. `progress` is called with the
    number of steps that have been read.
    """
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index].steps))
    done = 0
    for start in range(0, len(order), MAX_ROWS):
        indices = order[start : start + MAX_ROWS]
        rows = [pieces[index] for index in indices]
        found = [list[Floats]() for _ in rows]
        for begin, states in _windows(model, rows):
            for row, own in enumerate(found):
                # the first state is that before the first step
                skip, stop = (1 if begin == 0 else 0), len(rows[row].steps) + 1 - begin
                if stop > skip:
                    own.append(states[row, skip:stop])
            done += sum(min(max(len(row.steps) - begin, 0), WINDOW) for row in rows)
            if progress is not None:
                progress(done)
        for index, own in zip(indices, found, strict=True):
            yield index, np.concatenate(own) if own else np.zeros((0, 0), np.float32)


def _windows(model: HiddenStateModel, rows: Sequence[EncodedPiece]) -> Iterator[tuple[int, Floats]]:
    """Yield the first step of each window, and the activations (B, T, U) after each of its inputs."""
    import torch

    inputs, features = _padded(model.spec, rows)
    state = None
    for begin in range(0, inputs.shape[1], WINDOW):
        window = slice(begin, begin + WINDOW)
        own = None if features is None else features[:, window]
        batch = _batch(inputs[:, window], own, [row.conditions for row in rows], first=begin == 0)
        with torch.inference_mode():  # not around the yield, whose caller must not run in it
            states, state = model.network.hidden_states(batch, state)
        yield begin, states.float().numpy()


def _padded(spec: SequenceSpec, rows: Sequence[EncodedPiece]) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return the inputs (B, 1 + T) or (B, 1 + T, V), and the features (B, 1 + T, F) of the steps that follow them."""
    length = 1 + max(len(row.steps) for row in rows)
    tokens = spec.kind is StepKind.TOKENS
    inputs = np.full((len(rows), length), spec.end or 0, np.int64)
    if not tokens:
        inputs = np.zeros((len(rows), length, spec.size), np.uint8)
    features = np.zeros((len(rows), length, len(spec.features)), np.int64) if spec.features else None
    for number, row in enumerate(rows):
        steps = row.steps if tokens else np.unpackbits(row.steps, axis=-1, count=spec.size)
        inputs[number, 1 : 1 + len(steps)] = steps
        if features is not None and row.features is not None and len(row.features):
            features[number, : len(row.features)] = row.features
            features[number, len(row.features) :] = row.features[-1]
    return inputs, features


def _batch(
    inputs: NDArray[Any], features: NDArray[np.int64] | None, conditions: Sequence[Mapping[str, int]], *, first: bool
) -> Batch:
    import torch

    from composer.api.network import Batch

    rows, length = inputs.shape[:2]
    steps = torch.from_numpy(np.ascontiguousarray(inputs))
    steps = steps if inputs.ndim == 2 else steps.float()
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = first
    labels = {
        name: torch.tensor([row[name] for row in conditions])[:, None].expand(rows, length) for name in conditions[0]
    }
    following = None if features is None else torch.from_numpy(np.ascontiguousarray(features))
    return Batch(steps, steps, torch.ones(rows, length), reset, labels, following)
