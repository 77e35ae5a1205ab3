"""Fix small problems of an ABC tune in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from composer.check.abc_layout import number_of
from composer.check.abc_notation import regular_bar_line, standard_chord
from composer.check.abc_tunes import all_problems
from composer.check.problem import Problem
from composer.formats.abc.reader.lexer import TuneText
from composer.formats.abc.reader.parser import parse_tune


def patch(tune: TuneText, number: str, problems: Sequence[Problem]) -> tuple[TuneText, list[str]]:
    """Return `tune` with `number` and with the `problems` that a small edit can fix, and a list of changes."""
    lines, done = list(tune.lines), list[str]()
    kinds = {each.kind for each in problems}
    if "quoted-printable" in kinds:
        lines = _without_quoted_printable(lines)
        done.append("decoded quoted-printable")
        problems = all_problems(parse_tune(replace(tune, lines=tuple(lines))))
    for each in sorted(problems, key=lambda each: each.place, reverse=True):
        if (patch := _PATCHES.get(each.kind)) is not None:
            at = each.line - tune.first
            line = patch[0](lines[at], each.column - 1)
            if line != lines[at]:
                lines[at] = line
                done.append(patch[1])
    numbered = lines[0].startswith("X:")
    if not numbered or number != number_of(tune):
        lines[: int(numbered)] = [f"X:{number}"]
        done.append(f"numbered as {number}")
    return replace(tune, lines=tuple(lines)), list(dict.fromkeys(done))


def _without_character(line: str, at: int) -> str:
    return line[:at] + line[at + 1 :]


_TIE = re.compile(r"[^-|]*?(-)")


def _without_tie(line: str, at: int) -> str:
    """Remove the tie of the note at `at`: the first one from there on."""
    match = _TIE.match(line, at)
    return line[: match.start(1)] + line[match.end(1) :] if match else line


_BAR_LINE = re.compile(r"[|:\[\]]+")
_QUOTED = re.compile(r'"[^"]*"')


def _with_regular_bar_line(line: str, at: int) -> str:
    match = _BAR_LINE.match(line, at)
    return line[:at] + regular_bar_line(match[0]) + line[match.end() :] if match else line


def _with_standard_chord(line: str, at: int) -> str:
    match = _QUOTED.match(line, at)
    if match is None:
        return line
    symbol = match[0][1:-1].strip()
    plain = symbol.removeprefix("(").removesuffix(")")
    return line[:at] + match[0].replace(plain, standard_chord(plain)) + line[match.end() :]


_PATCHES: dict[str, tuple[Callable[[str, int], str], str]] = {
    "unknown character": (_without_character, "removed unknown characters"),
    "old line break": (_without_character, "removed old line breaks"),
    "dangling tie": (_without_tie, "removed dangling ties"),
    "unusual bar line": (_with_regular_bar_line, "rewrote unusual bar lines"),
    "invalid chord symbol": (_with_standard_chord, "respelled chord symbols"),
    "unknown field": (lambda line, at: f"% {line}", "commented out unknown fields"),
    "text in the header": (lambda line, at: f"% {line}", "commented out text in the header"),
}
"""For each kind of problem, how to fix its line at a column, and a name for the change."""


def _without_quoted_printable(lines: Sequence[str]) -> list[str]:
    """Decode lines that a mail program wrote as quoted-printable."""
    text = re.sub(r"=\n", "", "\n".join(lines) + "\n")
    return re.sub(r"=(20|3D)", lambda match: chr(int(match[1], 16)), text).rstrip("\n").split("\n")
