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

from composer.analysis.metrics import Metric
from composer.analysis.piece_metrics import MetricValues, metrics_for
from composer.api import ComposerError, Constraint, EncodeError, Piece, ReadError, RejectedPiece, Representation, Step
from composer.checkpoints.load import LoadedModel
from composer.data.corpus import Rejections, content_digest
from composer.data.encoded_split import NOT_ENCODABLE
from composer.generation import generate as generation
from composer.generation.generate import Drew, Request
from composer.music.contour import MelodyCollection

__all__ = ["Comparison", "MetricComparison", "Summary", "compare"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Summary:
    """A measure over the pieces of one side: its mean and standard deviation, over the `pieces` that have it.

    One piece alone has no deviation.
    """

    mean: float
    deviation: float | None
    pieces: int

    @classmethod
    def of_values(cls, values: Sequence[float]) -> Summary | None:
        """That of `values`; None where there are none."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A measure on both sides; None on a side of which nothing can be said."""

    metric: Metric
    generated: Summary | None
    corpus: Summary | None

    @property
    def distance(self) -> float | None:
        """How many of the corpus's deviations its mean is passed by; None where that cannot be told."""
        if self.generated is None or self.corpus is None or self.corpus.deviation is None:
            return None
        composed, corpus = self.generated.mean, self.corpus.mean
        if math.isclose(composed, corpus):
            return 0.0
        return (composed - corpus) / self.corpus.deviation if self.corpus.deviation else None

    def to_json(self) -> dict[str, Any]:
        """This value as plain JSON."""
        sides = {"composed": self.generated, "corpus": self.corpus}
        return {**{name: side and asdict(side) for name, side in sides.items()}, "distance": self.distance}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All measures, and over what: how many pieces were `generated`, and how many of the corpus could be compared.

    `silent` of the composed ones have nothing in them, `cut` were not over at their length. What they copy was looked
    for in what the model was `against_training_data`, or else in the corpus. `rejections` are the pieces of the corpus
    that the model has no steps for, and copies; `losses`, by phrase, are what the steps of the others do not hold.
    """

    metrics: Sequence[MetricComparison]
    generated: int
    corpus: int
    silent: int = 0
    cut: int = 0
    against_training_data: bool = False
    rejections: Rejections = field(default_factory=Rejections)
    losses: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """This value as plain JSON: measures by their names."""
        return {
            "composed": {"pieces": self.generated, "silent": self.silent, "cut": self.cut},
            "corpus": {"pieces": self.corpus, "rejected": self.rejections.counts, "losses": self.losses},
            "copied_from": "taught" if self.against_training_data else "corpus",
            "measures": {row.metric.name: row.to_json() for row in self.metrics},
        }


def compare(
    player: LoadedModel,
    pieces: Sequence[Piece],
    request: Request,
    constraint: Constraint | None = None,
    *,
    training_melodies: MelodyCollection | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Comparison:
    """Compose what `request` asks for, and set it beside `pieces`.

    `training_melodies` are the melodies that the model was taught, where they are known. `progress` is called with the
    number of pieces done and of all. Raises ReadError where no piece is left to compare with, ComposerError where
    nothing that is composed has notes, or words.
    """
    refusals, losses, by = Rejections(), Counter[str](), metrics_for(player.representation, training_melodies)
    counter = _Progress(len(pieces) + request.count, progress)
    for encoded in _encode_all(player.representation, counter.counting(pieces), refusals, losses):
        by.add_corpus_piece(encoded)
    corpus, composed, cut = _MetricTally.of_pieces(by.corpus_values()), _MetricTally(), 0
    if corpus.silent == corpus.pieces:
        why = refusals.most_common() or "nothing in them can be heard or read"
        raise ReadError(f"no piece can be compared: {why}", "the model was taught other music")
    for steps, whole in counter.counting(_generated_pieces(player, request, constraint)):
        composed.add(by.values(steps))
        cut += not whole
    if composed.silent == request.count:
        raise ComposerError("nothing that the model composed can be heard or read", "train it for longer")
    rows = [MetricComparison(measure, composed.summary(measure), corpus.summary(measure)) for measure in by.metrics]
    told = [row for row in rows if row.generated or row.corpus]
    return Comparison(
        told, request.count, corpus.pieces, composed.silent, cut, training_melodies is not None, refusals, dict(losses)
    )


def _encode_all(
    representation: Representation, pieces: Iterable[Piece], refusals: Rejections, losses: Counter[str]
) -> Iterator[list[Step]]:
    """The steps of each of `pieces` that has any; of equal ones, of the first."""
    seen = set[bytes]()
    for piece in pieces:
        if (same := content_digest(piece)) in seen:
            refusals.add(RejectedPiece("a copy of another piece", piece.source))
            continue
        seen.add(same)
        try:
            steps = representation.encode(piece)
        except EncodeError as error:
            refusals.add(RejectedPiece(NOT_ENCODABLE, piece.source, error.message.removeprefix(piece.source).strip()))
            continue
        losses.update(representation.losses(piece))
        yield steps


def _generated_pieces(
    player: LoadedModel, request: Request, constraint: Constraint | None
) -> Iterator[tuple[Sequence[Step], bool]]:
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
    report: Callable[[int, int], object] | None
    done: int = 0

    def counting(self, pieces: Iterable[_T]) -> Iterator[_T]:
        """The same pieces; each is done once the next one is asked for."""
        for piece in pieces:
            yield piece
            self.done += 1
            if self.report is not None:
                self.report(self.done, self.total)


@dataclass(slots=True)
class _MetricTally:
    """The figures of all `pieces` of a side; of those that are `silent` there are none."""

    values: dict[str, list[float]] = field(default_factory=dict)
    pieces: int = 0
    silent: int = 0

    @classmethod
    def of_pieces(cls, pieces: Iterable[MetricValues | None]) -> _MetricTally:
        tally = cls()
        for figures in pieces:
            tally.add(figures)
        return tally

    def add(self, figures: MetricValues | None) -> None:
        self.pieces += 1
        self.silent += figures is None
        for name, value in (figures or {}).items():
            if value is not None:
                self.values.setdefault(name, []).append(float(value))

    def summary(self, measure: Metric) -> Summary | None:
        return Summary.of_values(self.values.get(measure.name, ()))
