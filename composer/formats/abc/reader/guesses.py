"""Count where the reader guesses what broken ABC means, so that it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from composer.formats.abc.elements import Mark, Tune
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


def guesses(tune: Tune, found: Iterable[Diagnostic]) -> Guesses:
    """Return the guesses among the diagnostics `found` of a tune."""
    counted, places = Counter[str](), dict[str, str]()
    for each in sorted({*_meaningful(tune, found)}):
        phrase = GUESSES[each.kind]
        counted[phrase] += 1
        places.setdefault(phrase, f"line {each.line}, column {each.column}")
    return Guesses(counted, places)


def _meaningful(tune: Tune, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    lines = range(tune.text.first, tune.text.first + len(tune.text.lines))
    for each in found:
        if each.kind in GUESSES:
            line = tune.text.lines[each.line - tune.text.first] if each.line in lines else ""
            is_old_line_break = each.kind == "unknown character" and line[each.column - 1 : each.column] in ("!", "*")
            if not (is_old_line_break or is_control(each, line) or is_legal(tune, each, line)):
                yield each


def is_control(found: Diagnostic, line: str) -> bool:
    """Return whether a diagnostic is about a control character, which is a matter of the encoding."""
    return found.kind == "unknown character" and not line[found.column - 1 : found.column].isprintable()


def is_legal(tune: Tune, found: Diagnostic, line: str) -> bool:
    """Return whether a diagnostic is about legal ABC.

    That is a field whose value begins with a colon, a note after `|]`, or a repeat that seems open but was closed by
    `:|` before a second ending.
    """
    if found.kind == "text in the header":
        return line[1:2] == ":"
    if found.kind == "repeat without an end":
        return _repeat_is_closed(tune, found)
    return found.kind == "unbalanced brackets" and line[max(found.column - 2, 0) : found.column] == "|]"


def _repeat_is_closed(tune: Tune, found: Diagnostic) -> bool:
    for elements in tune.voices.values():
        closed = False
        for element in elements:
            if not isinstance(element, Mark):
                continue
            if (element.line, element.column) >= (found.line, found.column):
                break
            closed = (closed or bool(element.ends)) and not element.starts
        if closed:
            return True
    return False
