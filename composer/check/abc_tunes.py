"""Check a tune of an ABC file: combine all checks and assign severities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from composer.check.abc_bars import BAR_LENGTH_KINDS, classify_bar_problems
from composer.check.abc_headers import header_problems
from composer.check.abc_layout import number_of
from composer.check.abc_rules import check_parsed
from composer.check.problem import Problem, Severity
from composer.check.score_sanity import HIGHEST, LOWEST
from composer.formats.abc.elements import Mark, Sound, Tune
from composer.formats.abc.reader.lexer import Diagnostic
from composer.music.keys import pitch

_HARMLESS = frozenset({"definition left out"})
"""Limits of our reader, not errors of the tune."""

_WARNINGS = frozenset({"dangling tie", "invalid number", "text in the header", "unknown transposition", "too long"})
"""Problems that do not change how the tune plays."""


def tune_problems(tune: Tune) -> list[Problem]:
    """Return what is wrong in a parsed tune, by line; problems repeated throughout it are merged."""
    return list(_merge_repeated(all_problems(tune)))


def all_problems(tune: Tune) -> list[Problem]:
    """Return everything that is wrong in a parsed tune, by line."""
    found = check_parsed(tune)
    problems = [*classify_bar_problems(tune, [each for each in found if each.kind in BAR_LENGTH_KINDS])]
    problems += _other_problems([each for each in found if each.kind not in BAR_LENGTH_KINDS], tune)
    problems += header_problems(tune)
    problems += _out_of_range(tune)
    number, title = number_of(tune.text), tune.first("T")
    if not number and not tune.text.lines[0].startswith("X:"):
        problems.append(Problem(tune.text.first, 1, "no number", "the tune has no `X:` line"))
    found_once = sorted(set(problems), key=lambda each: (each.place, each.kind))
    return [replace(each, tune=number, title=title) for each in found_once]


_REPEATED_KINDS = frozenset({"dangling tie", "old line break", "quoted-printable"})
"""Kinds that often occur throughout a tune; only the first is reported."""


def _merge_repeated(problems: Sequence[Problem]) -> Iterator[Problem]:
    counts = Counter(each.kind for each in problems)
    seen: set[str] = set()
    for each in problems:
        if each.kind not in _REPEATED_KINDS or counts[each.kind] == 1:
            yield each
        elif each.kind not in seen:
            seen.add(each.kind)
            yield replace(each, message=f"{each.message}, and {counts[each.kind] - 1} more in this tune")


def _other_problems(found: Sequence[Diagnostic], tune: Tune) -> Iterator[Problem]:
    """Yield the diagnostics that are problems, with their severity."""
    lines = range(tune.text.first, tune.text.first + len(tune.text.lines))
    for each in found:
        if each.line not in lines:  # it has no place, such as an ending without a bar
            yield Problem(tune.text.first, 1, each.kind, each.message or each.kind)
            continue
        line = tune.text.lines[each.line - tune.text.first]
        closed = each.kind == "repeat without an end" and _repeat_is_closed(tune, each)
        if each.kind in _HARMLESS or closed or _is_legal(each, line):
            continue
        if each.kind == "unknown character":
            yield _unknown(each, line)
        else:
            severity = Severity.WARNING if each.kind in _WARNINGS else Severity.ERROR
            yield Problem(each.line, each.column, each.kind, each.message or each.kind, severity)


def _is_legal(found: Diagnostic, line: str) -> bool:
    """Return whether a diagnostic is about legal ABC: a field whose value begins with a colon, a note after `|]`."""
    if found.kind == "text in the header":
        return line[1:2] == ":"
    return found.kind == "unbalanced brackets" and line[max(found.column - 2, 0) : found.column] == "|]"


def _repeat_is_closed(tune: Tune, found: Diagnostic) -> bool:
    """Return whether a repeat that seems open was closed by `:|` before a second ending."""
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


def _out_of_range(tune: Tune) -> Iterator[Problem]:
    for elements in tune.voices.values():
        sounds = [each for each in elements if isinstance(each, Sound)]
        notes = [(sound, pitch(*tone)) for sound in sounds for tone in sound.tones]
        if beyond := [(sound, midi) for sound, midi in notes if not LOWEST <= midi <= HIGHEST]:
            sound, midi = beyond[0]
            side = "below the lowest" if midi < LOWEST else "above the highest"
            more = f", the first of {len(beyond)}" if len(beyond) > 1 else ""
            message = f"note {side} key of a piano{more}"
            severity = Severity.WARNING if all(0 <= each <= 127 for _, each in beyond) else Severity.ERROR
            yield Problem(sound.line, sound.column, "note out of range", message, severity)
