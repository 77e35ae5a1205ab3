"""Turn what the ABC reader reports of a tune, such as unknown characters and open repeats, into problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.guesses import invalid
from composer.formats.abc.reader.lexer import Diagnostic

_WARNINGS = frozenset({
    "dangling tie", "text in the header", "unknown transposition", "too long", "note of no length", "empty definition",
    "tuplet across a bar line",
    "repeat in one voice only", "voices with other repeats", "jump beside a part order", "part name used twice",
    "jump without its sign", "invalid tempo", "music after `V:*`", "ending without a second",
})  # fmt: skip
"""Problems that do not change how the tune plays, or that are more often meant than wrong."""


def syntax_problems(found: Sequence[Diagnostic], tune: Tune) -> Iterator[Problem]:
    """Yield the diagnostics that are problems, with their severity."""
    lines = range(tune.text.first, tune.text.first + len(tune.text.lines))
    for each, line in invalid(tune, found):
        if each.line not in lines:  # it has no place, such as an ending without a bar
            yield Problem(tune.text.first, 1, each.kind, each.message or each.kind)
        elif each.kind == "unknown character":
            yield _unknown(each, line)
        else:
            severity = Severity.WARNING if each.kind in _WARNINGS else Severity.ERROR
            yield Problem(each.line, each.column, each.kind, each.message or each.kind, severity)


_EMAIL = ("=20", "=3D", "=\n")


def _unknown(found: Diagnostic, line: str) -> Problem:
    """Return the problem of an unknown character, with a likely reason."""
    character, rest = line[found.column - 1 : found.column], line[found.column - 1 :] + "\n"
    before = line[max(found.column - 2, 0) :] + "\n"
    if rest.startswith(_EMAIL) or before.startswith(_EMAIL):
        message = "left-over e-mail encoding (quoted-printable)"
        return Problem(found.line, found.column, "quoted-printable", message)
    if character in "!*" and found.column >= 1:
        message = f"`{character}` is an obsolete line-break mark, ignored"
        return Problem(found.line, found.column, "old line break", message, Severity.WARNING)
    if character == '"':
        return Problem(found.line, found.column, "unknown character", 'unclosed `"`')
    return Problem(found.line, found.column, "unknown character", found.message)
