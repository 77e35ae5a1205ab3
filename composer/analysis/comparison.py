"""Compare generated pieces with those of a corpus by their metrics.

Both sides are measured after encoding, so what a representation does not hold (such as the meter on a grid) counts on
neither side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from statistics import fmean, stdev
from typing import Any, TypeVar

from composer.analysis.metrics import Metric
from composer.analysis.piece_metrics import MetricValues, metrics_for
from composer.api import ComposerError, Constraint, EncodeError, Piece, ReadError, RejectedPiece, Representation, Step
from composer.checkpoints.load import LoadedModel
from composer.data.corpus import Rejections, content_digest
from composer.data.encoded_split import NOT_ENCODABLE
from composer.generation.generate import generate
from composer.generation.plans import PlannedConstraints
from composer.generation.request import Generated, GenerationRequest
from composer.music.contour import MelodyCollection

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean and standard deviation of a metric over the `pieces` that have it; a single piece has no deviation."""

    mean: float
    deviation: float | None
    pieces: int

    @classmethod
    def of_values(cls, values: Sequence[float]) -> Summary | None:
        """Return the summary of `values`, or None if there are none."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A metric on both sides; None on a side where no piece has it."""

    metric: Metric
    generated: Summary | None
    corpus: Summary | None

    @property
    def distance(self) -> float | None:
        """Difference of the means in standard deviations of the corpus; None if it is undefined."""
        if self.generated is None or self.corpus is None or self.corpus.deviation is None:
            return None
        generated, corpus = self.generated.mean, self.corpus.mean
        if math.isclose(generated, corpus):
            return 0.0
        return (generated - corpus) / self.corpus.deviation if self.corpus.deviation else None

    def to_json(self) -> dict[str, Any]:
        """Return this value as plain JSON."""
        sides = {"generated": self.generated, "corpus": self.corpus}
        return {**{name: side and asdict(side) for name, side in sides.items()}, "distance": self.distance}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All metrics of `generated` pieces and of the `corpus` pieces that could be encoded.

    `silent` counts generated pieces without notes or words, `cut` those that reached their maximum length. Copies were
    searched `against_training_data`, or else in the corpus. `rejections` are duplicates and the pieces that cannot be
    encoded; `losses` counts, by phrase, what encoding the others loses.
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
        """Return this value as plain JSON, with the metrics by name."""
        return {
            "generated": {"pieces": self.generated, "silent": self.silent, "cut": self.cut},
            "corpus": {"pieces": self.corpus, "rejected": self.rejections.counts, "losses": self.losses},
            "copied_from": "training data" if self.against_training_data else "corpus",
            "metrics": {row.metric.name: row.to_json() for row in self.metrics},
        }


def compare(
    model: LoadedModel,
    pieces: Sequence[Piece],
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints | None = None,
    *,
    training_melodies: MelodyCollection | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Comparison:
    """Generate the pieces of `request` and compare them with `pieces`.

    Copies are searched in `training_melodies` if given, else in `pieces`. `progress` is called with the number of
    pieces done and the total. Raises ReadError if none of `pieces` can be encoded, ComposerError if all generated
    pieces are empty.
    """
    rejections, losses = Rejections(), Counter[str]()
    metrics = metrics_for(model.representation, training_melodies)
    corpus, generated, cut, number = _MetricTally(), _MetricTally(), 0, count(1)

    def counted(items: Iterable[_T]) -> Iterator[_T]:
        """Yield `items`; each is done when the next one is requested."""
        for item in items:
            yield item
            if progress is not None:
                progress(next(number), len(pieces) + request.count)

    for encoded in _encode_all(model.representation, counted(pieces), rejections, losses):
        metrics.add_corpus_piece(encoded)
    for values in metrics.corpus_values():
        corpus.add(values)
    if corpus.silent == corpus.pieces:
        why = rejections.most_common() or "they are empty"
        raise ReadError(
            f"no piece can be compared; {why}",
            "use files like the training data, or choose another model with --checkpoint",
        )
    for steps, complete in counted(_generated_pieces(model, request, constraint)):
        generated.add(metrics.values(steps))
        cut += not complete
    if generated.silent == request.count:
        raise ComposerError("all generated pieces are empty", "train the model for longer")
    rows = [MetricComparison(each, generated.summary(each), corpus.summary(each)) for each in metrics.metrics]
    rows = [row for row in rows if row.generated or row.corpus]
    searched = training_melodies is not None
    return Comparison(rows, request.count, corpus.pieces, generated.silent, cut, searched, rejections, losses)


def _encode_all(
    representation: Representation, pieces: Iterable[Piece], rejections: Rejections, losses: Counter[str]
) -> Iterator[list[Step]]:
    """Yield the steps of each piece that can be encoded, without duplicates."""
    seen = set[bytes]()
    for piece in pieces:
        if (digest := content_digest(piece)) in seen:
            rejections.add(RejectedPiece("duplicate of another piece", piece.source))
            continue
        seen.add(digest)
        try:
            steps = representation.encode(piece)
        except EncodeError as error:
            detail = error.message.removeprefix(f"{piece.source} has ")
            rejections.add(RejectedPiece(NOT_ENCODABLE, piece.source, detail))
            continue
        losses.update(representation.losses(piece))
        yield steps


def _generated_pieces(
    model: LoadedModel, request: GenerationRequest, constraint: Constraint | PlannedConstraints | None
) -> Iterator[tuple[Sequence[Step], bool]]:
    """Yield the steps of each piece as it ends, and whether it is complete."""
    steps: dict[int, list[Step]] = {}
    for event in generate(model.sampler, model.spec, request, constraint, ordered=False):
        if isinstance(event, Generated):
            steps.setdefault(event.number, []).extend(event.steps)
        else:
            yield steps.pop(event.number, []), event.complete


@dataclass(slots=True)
class _MetricTally:
    """Metric values of the `pieces` of one side; `silent` ones have none."""

    values: dict[str, list[float]] = field(default_factory=dict)
    pieces: int = 0
    silent: int = 0

    def add(self, values: MetricValues | None) -> None:
        self.pieces += 1
        self.silent += values is None
        for name, value in (values or {}).items():
            if value is not None:
                self.values.setdefault(name, []).append(float(value))

    def summary(self, metric: Metric) -> Summary | None:
        return Summary.of_values(self.values.get(metric.name, ()))
