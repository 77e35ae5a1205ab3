"""What every Representation promises: steps that come back the same, decoders that take any steps, and its state."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from composer.api.errors import EncodeError
from composer.api.hooks import API_VERSION
from composer.api.representation import Representation
from composer.api.score import Piece, RejectedPiece
from composer.api.sequence import SequenceSpec, Step, StepKind
from composer.api.source import Source

__all__ = ["check_representation"]


def check_representation(
    representation_class: type[Representation], sources: Sequence[Source], options: Any = None
) -> None:
    """Hold `representation_class` to what Representation promises, on the pieces in `sources` (at least two are
    needed).
    """
    assert isinstance(representation_class.api, int), (
        f"{representation_class.__name__} does not say which interface it was written for"
    )
    assert representation_class.api <= API_VERSION, f"{representation_class.__name__} was written for a newer interface"
    assert representation_class.name, "a representation has a name"
    assert representation_class.summary, "a representation says in a line what it is"
    assert representation_class.formats, "a representation can be written in at least one format"
    representation = representation_class(options)
    items = [item for each in sources for item in representation.read(each)]
    pieces = [item for item in items if isinstance(item, Piece)]
    assert len(pieces) >= 2, f"two pieces are needed to judge by; these were refused: {_rejections(items)}"
    representation.fit(pieces)
    spec = representation.spec
    assert spec.kind is representation_class.kind, "the spec is of another kind than the class says"
    assert SequenceSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec, "the spec does not survive JSON"
    for piece in pieces:
        _check_piece(representation, piece)
    _check_restored(representation_class, options, representation, pieces)
    _check_total(representation)


def _check_piece(representation: Representation, piece: Piece) -> None:
    steps, spec = representation.encode(piece), representation.spec
    for step in steps:
        _check_step(step, spec)
    packed = representation.encode_packed(piece)
    assert packed is None or packed == _pack_steps(steps, spec), (
        f"{piece.source} is packed otherwise than it is encoded"
    )
    opening = representation.prime(piece)
    if spec.kind is StepKind.TOKENS:
        assert steps, f"{piece.source} has no steps, not even the end symbol"
        assert steps[-1] == spec.end, f"the steps of {piece.source} do not end with the end symbol"
        assert spec.end not in steps[:-1], f"the end symbol stands inside {piece.source}"
        assert opening == steps[: len(opening)], f"{piece.source} as a primer is not how it begins"
    decoded = representation.decode(steps)
    assert representation.encode(decoded) == steps, f"{piece.source} is not the same after encode, decode, encode"
    for variant in representation.variants(piece):
        try:
            moved = representation.encode(variant)
        except EncodeError:
            continue
        packed = representation.encode_packed(variant)
        assert packed is None or packed == _pack_steps(moved, spec), (
            f"{variant.source} is packed otherwise than encoded"
        )
    score = representation.score(piece)
    if score is not None and type(representation).from_score is not Representation.from_score:
        with contextlib.suppress(EncodeError):
            again = representation.from_score(dataclasses.replace(score, losses={"bars eaten by mice": 3}))
            lost = representation.losses(again).get("bars eaten by mice")
            assert lost == 3, "what reading a score lost is not among the losses of its piece"
    if score is not None:
        assert score.notes or not score.parts or any(p.percussion for p in score.parts), f"{piece.source} is silent"


def _check_step(step: Step, spec: SequenceSpec) -> None:
    if spec.kind is StepKind.TOKENS:
        assert isinstance(step, int), f"a token is a whole number, not {step!r}"
        assert 0 <= step < spec.size, f"token {step} is outside 0 to {spec.size - 1}"
    else:
        assert isinstance(step, tuple), f"a frame is a tuple of units, not {step!r}"
        assert list(step) == sorted(set(step)), f"the units of a frame ascend, each once: {step}"
        assert all(0 <= unit < spec.size for unit in step), f"frame {step} has units outside 0 to {spec.size - 1}"


def _pack_steps(steps: Sequence[Step], spec: SequenceSpec) -> bytes:
    """`steps` as they stand in an encoding."""
    if spec.kind is StepKind.TOKENS:
        return np.array(steps, np.min_scalar_type(spec.size - 1)).tobytes()
    frames = np.zeros((len(steps), spec.size), np.uint8)
    for row, units in enumerate(steps):
        frames[row, list(units)] = 1  # type: ignore[arg-type]
    return np.packbits(frames, axis=1).tobytes()


def _check_restored(
    representation_class: type[Representation], options: Any, representation: Representation, pieces: Sequence[Piece]
) -> None:
    other = representation_class(options)
    other.restore(json.loads(json.dumps(representation.state())))
    assert other.spec == representation.spec, "the spec is another after state and restore"
    for piece in pieces:
        assert other.encode(piece) == representation.encode(piece), f"{piece.source} is encoded otherwise after restore"


def _check_total(representation: Representation) -> None:
    """No steps whatever make `decode` or a decoder raise, and both give the same text."""
    for steps in _random_sequences(representation.spec):
        representation.score(representation.decode(steps))
        decoder = representation.decoder(1)
        events = [event for step in steps for event in decoder.push(step)] + list(decoder.finish())
        if representation.native is not None:
            assert all(isinstance(event, str) for event in events), "a decoder of a text format gives text"


def _random_sequences(spec: SequenceSpec, count: int = 30, length: int = 100) -> Iterator[list[Step]]:
    generator = np.random.default_rng(0)
    for _ in range(count):
        steps = int(generator.integers(length))
        if spec.kind is StepKind.TOKENS:
            yield generator.integers(spec.size, size=steps).tolist()
        else:
            drawn = generator.random((steps, spec.size)) < generator.random() * 0.2
            yield [tuple(np.flatnonzero(frame).tolist()) for frame in drawn]


def _rejections(items: Sequence[Piece | RejectedPiece]) -> str:
    return "; ".join(f"{item.source}: {item.reason}" for item in items if isinstance(item, RejectedPiece)) or "none"
