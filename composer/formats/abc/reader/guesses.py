"""Count where the reader guesses what broken ABC means, so that it says so."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from composer.formats.abc.elements import Element, Mark, Tune
from composer.formats.abc.reader.lexer import Diagnostic

GUESSES = {
    "impossible length": "impossible note lengths changed",
    "unknown character": "unknown characters left out",
    "unbalanced brackets": "brackets without a partner left out",
    "empty chord": "empty chords left out",
    "broken rhythm without a partner": "broken rhythms without a partner left out",
    "unknown tuplet": "unknown tuplets left out",
    "incomplete tuplet": "incomplete tuplets played as written",
    "impossible ending": "impossible endings left out",
    "ending without a first": "mismatched endings played by guess",
    "ending given twice": "mismatched endings played by guess",
    "missing ending": "mismatched endings played by guess",
    "repeat without an end": "repeats without an end played once",
    "unknown meter": "unknown meters left out",
    "unknown unit length": "unknown unit lengths left out",
    "unknown key": "unknown keys left out",
    "no key": "missing keys taken as C major",
    "text in the header": "lines of text before the key left out",
    "unknown transposition": "unknown transpositions left out",
    "dangling tie": "ties without a note left out",
}
"""How each kind of diagnostic is counted as a loss. The others change nothing, or are counted where they are found."""


class Guesses(NamedTuple):
    """How many guesses there are of each kind, by phrase, and where the first one is: `line 12, column 7`."""

    counts: Counter[str]
    places: dict[str, str]


def guesses(tune: Tune, found: Sequence[Diagnostic]) -> Guesses:
    """Return the guesses among the diagnostics `found` of a tune."""
    counted, places = Counter[str](), dict[str, str]()
    for each in sorted({*_meaningful(tune, found)}):
        phrase = GUESSES[each.kind]
        counted[phrase] += 1
        places.setdefault(phrase, f"line {each.line}, column {each.column}")
    return Guesses(counted, places)


def _meaningful(tune: Tune, found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    for each, line in invalid(tune, found):
        is_old_line_break = each.kind == "unknown character" and line[each.column - 1 : each.column] in ("!", "*")
        if each.kind in GUESSES and not is_old_line_break:
            yield each


def invalid(tune: Tune, found: Sequence[Diagnostic]) -> Iterator[tuple[Diagnostic, str]]:
    """Yield the diagnostics that are about invalid ABC, each with its line, which is empty without a place.

    The others are about control characters, which are a matter of the encoding, or about legal ABC: a field whose value
    begins with a colon, a note after `|]`, or a repeat that seems open but was closed by `:|` before a second ending.
    """
    lines = range(tune.text.first, tune.text.first + len(tune.text.lines))
    is_any_open = any(each.kind == _OPEN_REPEAT for each in found)
    closings = [_closings(elements) for elements in tune.voices.values()] if is_any_open else []
    for each in found:
        line = tune.text.lines[each.line - tune.text.first] if each.line in lines else ""
        if each.kind == "unknown character":
            is_valid = not line[each.column - 1 : each.column].isprintable()
        elif each.kind == "text in the header":
            is_valid = line[1:2] == ":"
        elif each.kind == "unbalanced brackets":
            is_valid = line[max(each.column - 2, 0) : each.column] == "|]"
        else:
            is_valid = each.kind == _OPEN_REPEAT and any(voice.is_closed(each) for voice in closings)
        if not is_valid:
            yield each, line


_OPEN_REPEAT = "repeat without an end"


class _Closings(NamedTuple):
    """The places of the bar lines of a voice, ascending, and whether a repeat is closed after each of them."""

    places: Sequence[tuple[int, int]]
    closed: Sequence[bool]

    def is_closed(self, found: Diagnostic) -> bool:
        """Return whether a repeat is closed before a diagnostic."""
        before = bisect_left(self.places, (found.line, found.column))
        return before > 0 and self.closed[before - 1]


def _closings(elements: Iterable[Element]) -> _Closings:
    marks = [element for element in elements if isinstance(element, Mark)]
    places = accumulate(((mark.line, mark.column) for mark in marks), max)
    closed = accumulate(marks, lambda before, mark: (before or mark.ends > 0) and not mark.starts, initial=False)
    return _Closings([*places], [*closed][1:])
