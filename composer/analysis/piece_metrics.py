"""How all that is told of a piece is measured: of music by its score, of words by their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from composer.analysis.copying import COPIED, Index, longest_run_of
from composer.analysis.metrics import COPYING, MUSIC, VALIDITY, WORDS, Measure
from composer.analysis.score_features import Outline
from composer.analysis.text_statistics import Library
from composer.api import Representation, Source, Step
from composer.music.contour import Collecting, Contour, Melodies, contour

__all__ = ["Figures", "Gauge", "gauge"]

Figures = dict[str, float | None]
"""What was measured of one piece, by the names of the measures; None where nothing could be."""


class Gauge(Protocol):
    """How pieces are measured beside a corpus."""

    @property
    def measures(self) -> Sequence[Measure]:
        """What is measured, in order."""
        ...

    def learn(self, steps: Sequence[Step]) -> None:
        """Take the next piece of the corpus."""
        ...

    def corpus(self) -> Iterator[Figures | None]:
        """The figures of each piece of the corpus, compared with all others; None where nothing is in it."""
        ...

    def other(self, steps: Sequence[Step]) -> Figures | None:
        """The figures of a piece beside the whole corpus; None where nothing is in it."""
        ...


def gauge(representation: Representation, taught: Melodies | None = None) -> Gauge:
    """How pieces of `representation` are measured, given by their steps.

    What another piece copies is looked for among the melodies that its model was `taught`; else, in the corpus.
    """
    if type(representation).score is Representation.score:
        return _OfWords(representation)
    return _OfMusic(representation, taught)


class _OfMusic:
    """By what is heard."""

    def __init__(self, representation: Representation, taught: Melodies | None) -> None:
        self._representation = representation
        self._is_abc = representation.native == "abc"
        self._melodies = Collecting()
        self._learnt: list[tuple[Figures, Contour | None] | None] = []
        self._taught = None if taught is None else Index(taught)
        self.measures = (*MUSIC, *COPYING, *(VALIDITY if self._is_abc else ()))

    def learn(self, steps: Sequence[Step]) -> None:
        self._learnt.append(measured := self._measured(steps))
        if measured and measured[1]:
            self._melodies.append("", "", measured[1])

    def corpus(self) -> Iterator[Figures | None]:
        number = 0
        for measured in self._learnt:
            if measured is None:
                yield None
                continue
            figures, notes = measured
            yield figures | _copying(notes, self._known, number)
            number += notes is not None

    def other(self, steps: Sequence[Step]) -> Figures | None:
        measured = self._measured(steps)
        return measured and measured[0] | _copying(measured[1], self._taught or self._known)

    @cached_property
    def _known(self) -> Index:
        """The melodies of the corpus."""
        return Index(self._melodies.melodies())

    def _measured(self, steps: Sequence[Step]) -> tuple[Figures, Contour | None] | None:
        """All but what is copied, and the melody; None where nothing sounds."""
        score = self._representation.score(self._representation.decode(steps))
        if score is None or not any(part.notes for part in score.parts):
            return None
        music = Outline(score)
        figures = {measure.name: measure.of(music) for measure in MUSIC if measure.of is not None}
        return figures | (_validity(_written(self._representation, steps)) if self._is_abc else {}), contour(score)


class _OfWords:
    """By what is read."""

    measures = WORDS

    def __init__(self, representation: Representation) -> None:
        self._representation = representation
        self._texts: list[str] = []

    def learn(self, steps: Sequence[Step]) -> None:
        self._texts.append(_written(self._representation, steps))

    def corpus(self) -> Iterator[Figures | None]:
        for text in self._texts:
            yield self._library.figures(text, own=True) if text.strip() else None

    def other(self, steps: Sequence[Step]) -> Figures | None:
        text = _written(self._representation, steps)
        return self._library.figures(text) if text.strip() else None

    @cached_property
    def _library(self) -> Library:
        return Library.of(self._texts)


def _written(representation: Representation, steps: Iterable[Step]) -> str:
    """The text that a representation writes."""
    decoder = representation.decoder()
    events = [event for step in steps for event in decoder.push(step)]
    return "".join(event for event in (*events, *decoder.finish()) if isinstance(event, str))


def _copying(notes: Contour | None, known: Index, but: int | None = None) -> Figures:
    match = None if notes is None else longest_run_of(notes, known, but)
    run = match.notes if match else 0
    return {"longest_run": run, "copied": float(run >= COPIED)}


def _validity(text: str) -> Figures:
    """What `composer check` finds in a tune."""
    from composer.check.abc_bars import MISFITS
    from composer.check.examine import examine
    from composer.check.problem import Severity

    problems = examine(Source(Path("tune.abc"), data=text.encode())).problems
    return {
        "without_error": float(all(each.severity is not Severity.ERROR for each in problems)),
        "bars_filled": float(all(each.kind not in MISFITS for each in problems)),
    }
