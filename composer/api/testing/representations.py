"""Contract test for representations: encode and decode round trips, decoding of any steps, saved state."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from composer.api.errors import EncodeError
from composer.api.hooks import API_VERSION
from composer.api.representation import GenerationContext, Representation
from composer.api.score import Piece, RejectedPiece
from composer.api.sequence import SequenceSpec, Step, StepKind
from composer.api.source import Source

__all__ = ["check_representation"]


def check_representation(
    representation_class: type[Representation], sources: Sequence[Source], options: Any = None
) -> None:
    """Test `representation_class` on the pieces in `sources`, at least two."""
    name = representation_class.__name__
    assert isinstance(representation_class.api, int), f"{name}.api must be the interface version, an int"
    assert representation_class.api <= API_VERSION, f"{name} needs a newer interface version"
    assert representation_class.name, f"{name}.name is empty"
    assert representation_class.summary, f"{name}.summary is empty"
    assert representation_class.formats, f"{name}.formats is empty"
    representation = representation_class(options)
    items = [item for each in sources for item in representation.read(each)]
    pieces = [item for item in items if isinstance(item, Piece)]
    assert len(pieces) >= 2, f"the test needs at least two pieces; rejected: {_rejections(items)}"
    representation.fit(pieces)
    spec = representation.spec
    assert spec.kind is representation_class.kind, "`spec.kind` differs from the `kind` of the class"
    loaded = SequenceSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert loaded == spec, "the spec changes in a round trip through JSON"
    has_features = bool(spec.features)
    assert has_features == representation.positional, "`positional` must say whether the spec has position features"
    for piece in pieces:
        _check_piece(representation, piece)
        if has_features:
            _check_features(representation, piece)
            for variant in representation.variants(piece):
                _check_features(representation, variant)
    _check_restored(representation_class, options, representation, pieces)
    _check_total(representation)


def _check_piece(representation: Representation, piece: Piece) -> None:
    steps, spec, source = representation.encode(piece), representation.spec, piece.source
    for step in steps:
        _check_step(step, spec)
    packed = representation.encode_packed(piece)
    assert packed is None or packed == _pack_steps(steps, spec), f"{source}: `encode_packed` differs from `encode`"
    opening = representation.prime(piece)
    if spec.kind is StepKind.TOKENS:
        assert steps, f"{source}: no steps, not even the end symbol"
        assert steps[-1] == spec.end, f"{source}: the steps do not end with the end symbol"
        assert spec.end not in steps[:-1], f"{source}: end symbol before the end"
        assert opening == steps[: len(opening)], f"{source}: `prime` is not a prefix of `encode`"
    decoded = representation.decode(steps)
    assert representation.encode(decoded) == steps, f"{source}: changed by encode, decode, encode"
    for variant in representation.variants(piece):
        try:
            variant_steps = representation.encode(variant)
        except EncodeError:
            continue
        packed = representation.encode_packed(variant)
        assert packed is None or packed == _pack_steps(variant_steps, spec), (
            f"{variant.source}: `encode_packed` of a variant differs from `encode`"
        )
    score = representation.score(piece)
    if score is None:
        return
    if type(representation).from_score is not Representation.from_score:
        with contextlib.suppress(EncodeError):
            again = representation.from_score(dataclasses.replace(score, losses={"bars lost in a test": 3}))
            lost = representation.losses(again).get("bars lost in a test")
            assert lost == 3, "`from_score` must keep the losses of the score"
    silent = score.parts and not score.notes and not any(part.percussion for part in score.parts)
    assert not silent, f"{source}: the score has no notes"


def _check_features(representation: Representation, piece: Piece) -> None:
    """Position features are in the ranges of the spec, and the same in training and under the constraint."""
    sizes, source = list(representation.spec.features.values()), piece.source
    try:
        steps = representation.encode(piece)
    except EncodeError:
        return
    rows = list(representation.step_features(piece, steps))
    assert len(rows) == len(steps), f"{source}: `step_features` yields {len(rows)} rows for {len(steps)} steps"
    for number, row in enumerate(rows, 1):
        valid = len(row) == len(sizes) and all(0 <= value < size for value, size in zip(row, sizes, strict=True))
        assert valid, f"{source}: the features {row} of step {number} are not below {sizes}"
    followed = list(Representation.step_features(representation, piece, steps))
    for number, (row, other) in enumerate(zip(rows, followed, strict=True), 1):
        same = tuple(row) == tuple(other)
        assert same, f"{source}: step {number} has the features {row} in training and {other} under the constraint"
    plan = representation.plan(piece)
    assert plan is None or isinstance(plan, str), f"{source}: `plan` must return a str or None, not {plan!r}"
    controls, context = representation.Controls(), GenerationContext()
    for other_plan, weight in representation.plans(controls, context).items():
        assert weight > 0, f"the plan `{other_plan}` has the weight {weight}"
        constraint = representation.constraint(controls, dataclasses.replace(context, plan=other_plan))
        assert constraint is not None, "a representation with position features needs a constraint"
        ending = constraint.complete(constraint.start(()))
        assert ending, f"no piece has the plan `{other_plan}`"


def _check_step(step: Step, spec: SequenceSpec) -> None:
    if spec.kind is StepKind.TOKENS:
        assert isinstance(step, int), f"a token must be an int, not {step!r}"
        assert 0 <= step < spec.size, f"token {step} is not from 0 to {spec.size - 1}"
    else:
        assert isinstance(step, tuple), f"a frame must be a tuple of units, not {step!r}"
        assert list(step) == sorted(set(step)), f"the units of a frame must ascend without repeats: {step}"
        outside = [unit for unit in step if not 0 <= unit < spec.size]
        assert not outside, f"frame {step} has units that are not from 0 to {spec.size - 1}"


def _pack_steps(steps: Sequence[Step], spec: SequenceSpec) -> bytes:
    """Return `steps` as a dataset stores them."""
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
    assert other.spec == representation.spec, "`restore` changes the spec"
    for piece in pieces:
        assert other.encode(piece) == representation.encode(piece), f"{piece.source}: `restore` changes its encoding"


def _check_total(representation: Representation) -> None:
    """`decode` and decoders accept any steps."""
    for steps in _random_sequences(representation.spec):
        representation.score(representation.decode(steps))
        decoder = representation.decoder(1)
        events = [event for step in steps for event in decoder.push(step)] + list(decoder.finish())
        if representation.native is not None:
            assert all(isinstance(event, str) for event in events), "a decoder must return text if `native` is set"


def _random_sequences(spec: SequenceSpec, count: int = 30, length: int = 100) -> Iterator[list[Step]]:
    generator = np.random.default_rng(0)
    for _ in range(count):
        steps = int(generator.integers(length))
        if spec.kind is StepKind.TOKENS:
            yield generator.integers(spec.size, size=steps).tolist()
        else:
            frames = generator.random((steps, spec.size)) < generator.random() * 0.2
            yield [tuple(np.flatnonzero(frame).tolist()) for frame in frames]


def _rejections(items: Sequence[Piece | RejectedPiece]) -> str:
    return "; ".join(f"{item.source}: {item.reason}" for item in items if isinstance(item, RejectedPiece)) or "none"
