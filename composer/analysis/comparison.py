"""Pieces that a model composes beside those of a corpus, in all that can be measured of both.

Both sides are heard as a model's steps tell them: what a representation does not hold, such as the meter on a grid,
neither has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, stdev
from typing import Any, TypeVar

from composer.analysis.metrics import Measure
from composer.analysis.piece_metrics import Figures, gauge
from composer.api import ComposerError, Constraint, EncodeError, Piece, ReadError, RejectedPiece, Representation, Step
from composer.checkpoints.load import Player
from composer.data.corpus import Refusals, identity
from composer.data.encoded_split import NO_STEPS
from composer.generation import generate as generation
from composer.generation.generate import Drew, Request
from composer.music.contour import Melodies

__all__ = ["Comparison", "Row", "Spread", "compare"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure over the pieces of one side: its mean and standard deviation, over the `pieces` that have it.

    One piece alone has no deviation.
    """

    mean: float
    deviation: float | None
    pieces: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """That of `values`; None where there are none."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None


@dataclass(frozen=True, slots=True)
class Row:
    """A measure on both sides; None on a side of which nothing can be said."""

    measure: Measure
    composed: Spread | None
    corpus: Spread | None

    @property
    def distance(self) -> float | None:
        """How many of the corpus's deviations its mean is passed by; None where that cannot be told."""
        if self.composed is None or self.corpus is None or self.corpus.deviation is None:
            return None
        composed, corpus = self.composed.mean, self.corpus.mean
        if math.isclose(composed, corpus):
            return 0.0
        return (composed - corpus) / self.corpus.deviation if self.corpus.deviation else None

    def to_json(self) -> dict[str, Any]:
        """This value as plain JSON."""
        sides = {"composed": self.composed, "corpus": self.corpus}
        return {**{name: side and asdict(side) for name, side in sides.items()}, "distance": self.distance}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All measures, and over what: how many pieces were `composed`, and how many of the corpus could be compared.

    `silent` of the composed ones have nothing in them, `cut` were not over at their length. What they copy was looked
    for in what the model was `taught`, or else in the corpus. `refusals` are the pieces of the corpus that the model
    has no steps for, and copies; `losses`, by phrase, are what the steps of the others do not hold.
    """

    rows: Sequence[Row]
    composed: int
    corpus: int
    silent: int = 0
    cut: int = 0
    taught: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    losses: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """This value as plain JSON: measures by their names."""
        return {
            "composed": {"pieces": self.composed, "silent": self.silent, "cut": self.cut},
            "corpus": {"pieces": self.corpus, "refused": self.refusals.counts, "losses": self.losses},
            "copied_from": "taught" if self.taught else "corpus",
            "measures": {row.measure.name: row.to_json() for row in self.rows},
        }


def compare(
    player: Player,
    pieces: Sequence[Piece],
    request: Request,
    constraint: Constraint | None = None,
    *,
    taught: Melodies | None = None,
    measured: Callable[[int, int], object] | None = None,
) -> Comparison:
    """Compose what `request` asks for, and set it beside `pieces`.

    `taught` are the melodies that the model was taught, where they are known. `measured` is called with the number of
    pieces done and of all. Raises ReadError where no piece is left to compare with, ComposerError where nothing that is
    composed has notes, or words.
    """
    refusals, losses, by = Refusals(), Counter[str](), gauge(player.representation, taught)
    progress = _Progress(len(pieces) + request.count, measured)
    for encoded in _encoded(player.representation, progress.over(pieces), refusals, losses):
        by.learn(encoded)
    corpus, composed, cut = _Tally.of(by.corpus()), _Tally(), 0
    if corpus.silent == corpus.pieces:
        why = refusals.commonest() or "nothing in them can be heard or read"
        raise ReadError(f"no piece can be compared: {why}", "the model was taught other music")
    for steps, whole in progress.over(_composed(player, request, constraint)):
        composed.add(by.other(steps))
        cut += not whole
    if composed.silent == request.count:
        raise ComposerError("nothing that the model composed can be heard or read", "train it for longer")
    rows = [Row(measure, composed.spread(measure), corpus.spread(measure)) for measure in by.measures]
    told = [row for row in rows if row.composed or row.corpus]
    return Comparison(
        told, request.count, corpus.pieces, composed.silent, cut, taught is not None, refusals, dict(losses)
    )


def _encoded(
    representation: Representation, pieces: Iterable[Piece], refusals: Refusals, losses: Counter[str]
) -> Iterator[list[Step]]:
    """The steps of each of `pieces` that has any; of equal ones, of the first."""
    seen = set[bytes]()
    for piece in pieces:
        if (same := identity(piece)) in seen:
            refusals.add(RejectedPiece("a copy of another piece", piece.source))
            continue
        seen.add(same)
        try:
            steps = representation.encode(piece)
        except EncodeError as error:
            refusals.add(RejectedPiece(NO_STEPS, piece.source, error.message.removeprefix(piece.source).strip()))
            continue
        losses.update(representation.losses(piece))
        yield steps


def _composed(player: Player, request: Request, constraint: Constraint | None) -> Iterator[tuple[Sequence[Step], bool]]:
    """Each piece once it is over, and whether it is whole."""
    steps: dict[int, list[Step]] = {}
    for event in generation.generate(player.sampler, player.spec, request, constraint, ordered=False):
        if isinstance(event, Drew):
            steps.setdefault(event.number, []).extend(event.steps)
        else:
            yield steps.pop(event.number, []), event.whole


@dataclass(slots=True)
class _Progress:
    """Tells whoever wants to know how many of `total` pieces are done."""

    total: int
    tell: Callable[[int, int], object] | None
    done: int = 0

    def over(self, pieces: Iterable[_T]) -> Iterator[_T]:
        """The same pieces; each is done once the next one is asked for."""
        for piece in pieces:
            yield piece
            self.done += 1
            if self.tell is not None:
                self.tell(self.done, self.total)


@dataclass(slots=True)
class _Tally:
    """The figures of all `pieces` of a side; of those that are `silent` there are none."""

    values: dict[str, list[float]] = field(default_factory=dict)
    pieces: int = 0
    silent: int = 0

    @classmethod
    def of(cls, every: Iterable[Figures | None]) -> _Tally:
        tally = cls()
        for figures in every:
            tally.add(figures)
        return tally

    def add(self, figures: Figures | None) -> None:
        self.pieces += 1
        self.silent += figures is None
        for name, value in (figures or {}).items():
            if value is not None:
                self.values.setdefault(name, []).append(float(value))

    def spread(self, measure: Measure) -> Spread | None:
        return Spread.of(self.values.get(measure.name, ()))
