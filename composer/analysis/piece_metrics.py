"""Compute the metrics of one piece, from its score or its lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from composer.analysis.copying import COPIED, longest_run_of
from composer.analysis.melody_search import MelodyIndex
from composer.analysis.metrics import COPYING, MUSIC, TEXT, VALIDITY, Metric
from composer.analysis.score_features import ScoreFeatures
from composer.analysis.text_statistics import TextReference
from composer.api import Representation, Source, Step
from composer.music.contour import Contour, MelodyCollection, MelodyCollector, contour

MetricValues = dict[str, float | None]
"""Values of one piece by the name of the metric; None if it is undefined."""


class PieceMetrics(Protocol):
    """Computes the metrics of pieces in comparison with a corpus."""

    @property
    def metrics(self) -> Sequence[Metric]:
        """The metrics, in order."""

    def add_corpus_piece(self, steps: Sequence[Step]) -> None:
        """Add a piece to the corpus."""

    def corpus_values(self) -> Iterator[MetricValues | None]:
        """Yield the values of each piece of the corpus, compared with all others; None for an empty piece."""

    def values(self, steps: Sequence[Step]) -> MetricValues | None:
        """Return the values of a piece, compared with the whole corpus; None for an empty piece."""


def metrics_for(representation: Representation, training_melodies: MelodyCollection | None = None) -> PieceMetrics:
    """Return what measures pieces of `representation`, given as steps.

    Copies are searched in `training_melodies` if given, else in the corpus.
    """
    if type(representation).score is Representation.score:
        return _TextMetrics(representation)
    return _MusicMetrics(representation, training_melodies)


class _MusicMetrics:
    """Metrics of the score."""

    def __init__(self, representation: Representation, training_melodies: MelodyCollection | None) -> None:
        self._representation = representation
        self._is_abc = representation.native == "abc"
        self._melodies = MelodyCollector()
        self._corpus: list[tuple[MetricValues, Contour | None] | None] = []
        self._training_index = None if training_melodies is None else MelodyIndex(training_melodies)
        self.metrics = (*MUSIC, *COPYING, *(VALIDITY if self._is_abc else ()))

    def add_corpus_piece(self, steps: Sequence[Step]) -> None:
        self._corpus.append(measured := self._values_and_melody(steps))
        if measured and measured[1]:
            self._melodies.append("", "", measured[1])

    def corpus_values(self) -> Iterator[MetricValues | None]:
        number = 0
        for measured in self._corpus:
            if measured is None:
                yield None
                continue
            values, notes = measured
            yield values | _copying(notes, self._corpus_index, number)
            number += notes is not None

    def values(self, steps: Sequence[Step]) -> MetricValues | None:
        measured = self._values_and_melody(steps)
        return measured and measured[0] | _copying(measured[1], self._training_index or self._corpus_index)

    @cached_property
    def _corpus_index(self) -> MelodyIndex:
        """The melodies of the corpus."""
        return MelodyIndex(self._melodies.melodies())

    def _values_and_melody(self, steps: Sequence[Step]) -> tuple[MetricValues, Contour | None] | None:
        """Return all values except copying, and the melody; None if the piece is silent."""
        score = self._representation.score(self._representation.decode(steps))
        if score is None or not score.is_audible:
            return None
        music = ScoreFeatures(score)
        values = {metric.name: metric.compute(music) for metric in MUSIC if metric.compute is not None}
        return values | (_validity(_text_of(self._representation, steps)) if self._is_abc else {}), contour(score)


class _TextMetrics:
    """Metrics of the text."""

    metrics = TEXT

    def __init__(self, representation: Representation) -> None:
        self._representation = representation
        self._texts: list[str] = []

    def add_corpus_piece(self, steps: Sequence[Step]) -> None:
        self._texts.append(_text_of(self._representation, steps))

    def corpus_values(self) -> Iterator[MetricValues | None]:
        for text in self._texts:
            yield self._reference.metrics(text, own=True) if text.strip() else None

    def values(self, steps: Sequence[Step]) -> MetricValues | None:
        text = _text_of(self._representation, steps)
        return self._reference.metrics(text) if text.strip() else None

    @cached_property
    def _reference(self) -> TextReference:
        return TextReference.from_texts(self._texts)


def _text_of(representation: Representation, steps: Iterable[Step]) -> str:
    """Return the text that `steps` decode to."""
    decoder = representation.decoder()
    events = [event for step in steps for event in decoder.push(step)]
    return "".join(event for event in (*events, *decoder.finish()) if isinstance(event, str))


def _copying(notes: Contour | None, index: MelodyIndex, exclude: int | None = None) -> MetricValues:
    match = None if notes is None else longest_run_of(notes, index, exclude)
    run = match.notes if match else 0
    return {"longest_run": run, "copied": float(run >= COPIED)}


def _validity(text: str) -> MetricValues:
    """Return the results of `composer check` for a tune."""
    from composer.check.abc_bar_lengths import BAR_LENGTH_KINDS
    from composer.check.examine import examine
    from composer.check.problem import Severity

    problems = examine(Source(Path("tune.abc"), data=text.encode())).problems
    return {
        "without_error": float(all(each.severity is not Severity.ERROR for each in problems)),
        "bars_filled": float(all(each.kind not in BAR_LENGTH_KINDS for each in problems)),
    }
