"""Contract test for representations: reading, round trips, any steps, saved state, formats and constraints."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from composer.api.errors import EncodeError
from composer.api.representation import GenerationContext, Representation
from composer.api.score import Piece, RejectedPiece
from composer.api.sequence import AnyStep, SequenceSpec, StepKind
from composer.api.source import Source
from composer.api.testing.checks import Check, about, expect, shortened
from composer.api.testing.constraints import check_controls, describe_controls
from composer.api.testing.formats import check_format
from composer.api.testing.options import check_ranges_enforced
from composer.registry.class_checks import check_class
from composer.registry.guard import Owner, guard_representation

__all__ = ["check_representation", "representation_checks"]


def check_representation(
    representation_class: type[Representation], sources: Sequence[Source], options: Any = None, controls: Any = ()
) -> None:
    """Test `representation_class` on the pieces in `sources`, at least two; `options` are its Options.

    Its constraint is tested without controls and with each of `controls`, instances of its Controls that some piece can
    satisfy. Raises AssertionError, whose message is a sentence that names the piece or step, and the value.
    """
    for check in representation_checks(representation_class, sources, options, controls):
        check.result()


def representation_checks(
    kind: type[Representation], sources: Sequence[Source], options: Any = None, controls: Any = (), tried: Any = ()
) -> Iterator[Check]:
    """Yield the parts of `check_representation`; run each before the next.

    `tried` are further controls, which the pieces need not be able to satisfy.
    """
    yield Check("class of the representation", partial(_check_class, kind, options))
    subject = _Subject(kind, options)
    yield Check("pieces", partial(subject.read, sources))
    if not subject.pieces:
        return
    yield Check("encoding", subject.check_encoding)
    yield Check("scores", subject.check_scores)
    yield Check("any steps", subject.check_any_steps)
    yield Check("saved state", subject.check_restored)
    if subject.representation.spec.features:
        yield Check("position features", subject.check_features)
    for name in kind.formats:
        yield Check(f"format {name}", partial(check_format, subject.representation, subject.pieces, name))
    for may_refuse, values in ((False, (None, *controls)), (True, tried)):
        for each in values:
            run = partial(check_controls, subject.representation, subject.pieces, each, may_refuse=may_refuse)
            yield Check(f"constraint for {describe_controls(each)}", run)


def _check_class(kind: type[Representation], options: Any) -> str:
    with about(""):
        check_class(kind)
        kind(options)
        check_ranges_enforced(kind, "Options", "Controls")
    return f"API version {kind.api}"


class _Subject:
    """A representation, guarded as the program guards it, and the pieces that it is tested on."""

    def __init__(self, kind: type[Representation], options: Any) -> None:
        self.kind = guard_representation(kind, Owner(kind.name, kind.__module__), partial(_unpickle, kind))
        self.options = options
        self.representation = self.kind(options)
        self.pieces: list[Piece] = []

    def read(self, sources: Sequence[Source]) -> str:
        """Read `sources` and fit the representation to their pieces."""
        items = [item for source in sources for item in self.representation.read(source)]
        pieces = [item for item in items if isinstance(item, Piece)]
        expect(len(pieces) >= 2, f"the test needs at least two pieces; rejected: {_rejections(items)}")
        self.representation.fit(pieces)
        spec = self.representation.spec
        restored = SequenceSpec.from_json(json.loads(json.dumps(spec.to_json())))
        expect(restored == spec, f"the spec {spec} changes in a round trip through JSON, to {restored}")
        positional = self.representation.positional
        expect(
            positional == bool(spec.features),
            f"`positional` is {positional}, but the spec has {'some' if spec.features else 'no'} position features",
        )
        self.pieces = pieces
        files = f"{len(sources)} {'file' if len(sources) == 1 else 'files'}"
        return f"{len(pieces)} from {files}, {spec.size} {spec.kind}"

    def check_encoding(self) -> str:
        """Pieces, their primers and variants are encoded, and survive decoding."""
        steps = 0
        for piece in self.pieces:
            with about(piece.source):
                steps += self._check_piece(piece)
                for variant in self.representation.variants(piece):
                    with about(f"its variant {variant.source}"), contextlib.suppress(EncodeError):
                        self._check_packed(variant, self.representation.encode(variant))
        return f"{steps:,} steps"

    def _check_piece(self, piece: Piece) -> int:
        """Check a piece and return its number of steps."""
        steps = self.representation.encode(piece)
        expect(steps, "it has no steps")
        self._check_packed(piece, steps)
        primer = self.representation.prime(piece)
        if self.representation.kind is StepKind.TOKENS:
            place = _first_difference(primer, steps)
            expect(
                place is None or place >= len(primer),
                f"`prime` is not a prefix of `encode`: they differ at step {(place or 0) + 1}",
            )
        again = self.representation.encode(self.representation.decode(steps))
        place = _first_difference(again, steps)
        if place is not None:
            before, after = (repr(each[place]) if place < len(each) else "the end" for each in (steps, again))
            raise AssertionError(f"changed by encode, decode, encode: step {place + 1} was {before} and is {after}")
        self.representation.losses(piece)
        return len(steps)

    def _check_packed(self, piece: Piece, steps: Sequence[AnyStep]) -> None:
        packed = self.representation.encode_packed(piece)
        expect(
            packed is None or packed == _pack_steps(steps, self.representation.spec),
            "`encode_packed` differs from `encode`",
        )

    def check_scores(self) -> str:
        """Scores need no `fit`, are audible, and pieces again if there is `from_score`; each step has a time."""
        found, unfitted = 0, self.kind(self.options)
        for piece in self.pieces:
            with about(piece.source):
                score = self.representation.score(piece)
                expect(unfitted.score(piece) == score, "`score` depends on `fit`, but training calls it before")
                if score is None:
                    continue
                found += 1
                if self.kind.from_score is not Representation.from_score:
                    with contextlib.suppress(EncodeError):
                        again = self.representation.from_score(dataclasses.replace(score, losses={"things lost": 3}))
                        lost = self.representation.losses(again).get("things lost")
                        expect(lost == 3, f"`from_score` must keep the losses of the score: 3 became {lost}")
                        self.representation.primer_from_score(score)
                expect(score.is_audible or not score.parts, "the score has no notes")
                self.representation.times(self.representation.encode(piece))
        return f"{found} of {len(self.pieces)} pieces"

    def check_any_steps(self) -> str:
        """`decode` and decoders accept any steps of the spec."""
        count = 0
        for steps in _random_sequences(self.representation.spec):
            with about(f"the steps {shortened(steps)}" if steps else "a piece without steps"):
                self.representation.score(self.representation.decode(steps))
                decoder = self.representation.decoder(1)
                events = [*(event for step in steps for event in decoder.push(step)), *decoder.finish()]
                note = next((event for event in events if not isinstance(event, str)), None)
                expect(
                    self.representation.native is None or note is None,
                    f"a decoder must return text if `native` is set, not {note}",
                )
            count += len(steps)
        return f"{count:,} steps"

    def check_restored(self) -> str:
        """Another instance encodes the same after `restore`."""
        state = json.dumps(self.representation.state())
        other = self.kind(self.options)
        other.restore(json.loads(state))
        before, after = self.representation.spec, other.spec
        expect(after == before, f"`restore` changes the spec from {before} to {after}")
        for piece in self.pieces:
            place = _first_difference(other.encode(piece), self.representation.encode(piece))
            expect(place is None, f"{piece.source}: `restore` changes its encoding from step {(place or 0) + 1} on")
        return f"{len(state):,} characters of JSON"

    def check_features(self) -> str:
        """Position features are in range, and the same in training and under the constraint."""
        steps = 0
        for piece in self.pieces:
            for each in (piece, *self.representation.variants(piece)):
                with about(each.source), contextlib.suppress(EncodeError):
                    steps += _check_features(self.representation, each)
        controls, context = self.representation.Controls(), GenerationContext()
        for plan in self.representation.plans(controls, context):
            with about(f"the plan `{plan}`"):
                constraint = self.representation.constraint(controls, dataclasses.replace(context, plan=plan))
                expect(constraint is not None, "a representation with position features needs a constraint")
                assert constraint is not None
                may_end_at_once = self.representation.kind is StepKind.FRAMES
                expect(may_end_at_once or constraint.complete(constraint.start(())), "no piece has it")
        return f"{steps:,} steps"


def _check_features(representation: Representation, piece: Piece) -> int:
    """Check the position features of a piece and return its number of steps. Raises EncodeError."""
    sizes, steps = list(representation.spec.features.values()), representation.encode(piece)
    rows = list(representation.step_features(piece, steps))
    expect(len(rows) == len(steps), f"`step_features` yields {len(rows)} rows for {len(steps)} steps")
    followed = list(Representation.step_features(representation, piece, steps))
    for number, (row, other) in enumerate(zip(rows, followed, strict=True), 1):
        valid = all(0 <= value < size for value, size in zip(row, sizes, strict=True))
        expect(valid, f"the features {row} of step {number} are not below {sizes}")
        same = tuple(row) == tuple(other)
        expect(same, f"step {number} has the features {row} in training and {other} under the constraint")
    representation.plan(piece)
    return len(steps)


def _pack_steps(steps: Sequence[AnyStep], spec: SequenceSpec) -> bytes:
    """Return `steps` as a dataset stores them."""
    if spec.kind is StepKind.TOKENS:
        return np.array(steps, np.min_scalar_type(spec.size - 1)).tobytes()
    frames = np.zeros((len(steps), spec.size), np.uint8)
    for row, units in enumerate(steps):
        frames[row, list(units)] = 1
    return np.packbits(frames, axis=1).tobytes()


def _first_difference(steps: Sequence[AnyStep], others: Sequence[AnyStep]) -> int | None:
    """Return where two sequences differ first, counted from 0; None if they are equal."""
    for place, (step, other) in enumerate(zip(steps, others, strict=False)):
        if step != other:
            return place
    return None if len(steps) == len(others) else min(len(steps), len(others))


def _random_sequences(spec: SequenceSpec, count: int = 30, length: int = 100) -> Iterator[list[AnyStep]]:
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


def _unpickle(kind: type[Representation], name: str, attributes: Mapping[str, Any]) -> Representation:
    """Return a copy, without a guard, of a representation that is tested."""
    restored = kind.__new__(kind)
    restored.__dict__.update(attributes)
    return restored
