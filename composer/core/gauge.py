"""How all that is told of a piece is measured: of music by its score, of words by their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from composer.api import Representation, Score, Source, Step
from composer.core.measures import COPYING, MUSIC, VALIDITY, WORDS, Measure
from composer.core.melodies import Collecting, Melodies, contour
from composer.core.originality import COPIED, Index, Match, longest_run
from composer.core.verse import Library

__all__ = ["Figures", "Gauge", "gauge"]

Figures = dict[str, float | None]
"""What was measured of one piece, by the names of the measures; None where nothing could be."""


class Gauge(Protocol):
    """How pieces are measured beside a corpus."""

    @property
    def measures(self) -> Sequence[Measure]:
        """What is measured, in order."""
        ...

    def own(self, number: int) -> Figures | None:
        """The figures of a piece of the corpus, which is compared with all others; None where nothing is in it."""
        ...

    def other(self, steps: Sequence[Step]) -> Figures | None:
        """The figures of another piece; None where nothing is in it."""
        ...


def gauge(representation: Representation, corpus: Sequence[Sequence[Step]], taught: Melodies | None = None) -> Gauge:
    """How pieces of `representation` are measured beside those of `corpus`, given by their steps.

    What another piece copies is looked for among the melodies that its model was `taught`; else, in the corpus.
    """
    if type(representation).score is Representation.score:
        return _OfWords(representation, corpus)
    return _OfMusic(representation, corpus, taught)


class _OfMusic:
    """By what is heard."""

    def __init__(
        self, representation: Representation, corpus: Sequence[Sequence[Step]], taught: Melodies | None
    ) -> None:
        self._representation, self._corpus = representation, corpus
        self._is_abc = representation.native == "abc"
        self.measures = (*MUSIC, *COPYING, *(VALIDITY if self._is_abc else ()))
        melodies, self._numbers = self._melodies()
        self._own = Index(melodies)
        self._taught = self._own if taught is None else Index(taught)

    def own(self, number: int) -> Figures | None:
        return self._figures(self._corpus[number], self._own, self._numbers.get(number))

    def other(self, steps: Sequence[Step]) -> Figures | None:
        return self._figures(steps, self._taught, None)

    def _melodies(self) -> tuple[Melodies, Mapping[int, int]]:
        """The melodies of the corpus, and the number of that of each piece that has one."""
        collecting, numbers = Collecting(), dict[int, int]()
        for number, steps in enumerate(self._corpus):
            score = self._score(steps)
            if score is not None and (notes := contour(score)) is not None:
                numbers[number] = len(collecting.tunes)
                collecting.append("", "", notes)
        return collecting.melodies(), numbers

    def _figures(self, steps: Sequence[Step], known: Index, but: int | None) -> Figures | None:
        score = self._score(steps)
        if score is None or not score.notes:
            return None
        figures = {measure.name: measure.of(score) for measure in MUSIC if measure.of is not None}
        figures |= _copying(longest_run(score, known, but))
        return figures | _validity(_written(self._representation, steps)) if self._is_abc else figures

    def _score(self, steps: Sequence[Step]) -> Score | None:
        return self._representation.score(self._representation.decode(steps))


class _OfWords:
    """By what is read."""

    measures = WORDS

    def __init__(self, representation: Representation, corpus: Sequence[Sequence[Step]]) -> None:
        self._representation, self._corpus = representation, corpus
        self._library = Library.of(_written(representation, steps) for steps in corpus)

    def own(self, number: int) -> Figures | None:
        return self._figures(self._corpus[number], own=True)

    def other(self, steps: Sequence[Step]) -> Figures | None:
        return self._figures(steps, own=False)

    def _figures(self, steps: Sequence[Step], *, own: bool) -> Figures | None:
        text = _written(self._representation, steps)
        return self._library.figures(text, own=own) if text.strip() else None


def _written(representation: Representation, steps: Iterable[Step]) -> str:
    """The text that a representation writes."""
    decoder = representation.decoder()
    events = [event for step in steps for event in decoder.push(step)]
    return "".join(event for event in (*events, *decoder.finish()) if isinstance(event, str))


def _copying(match: Match | None) -> Figures:
    notes = match.notes if match else 0
    return {"longest_run": notes, "copied": float(notes >= COPIED)}


def _validity(text: str) -> Figures:
    """What `composer check` finds in a tune."""
    from composer.formats.doctor.examination import examine
    from composer.formats.doctor.measures import MISFITS
    from composer.formats.doctor.problem import Severity

    problems = examine(Source(Path("tune.abc"), data=text.encode())).problems
    return {
        "without_error": float(all(each.severity is not Severity.ERROR for each in problems)),
        "bars_filled": float(all(each.kind not in MISFITS for each in problems)),
    }
