"""Small faults of a tune, mended where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from composer.check.abc_layout import number_of
from composer.check.abc_tunes import all_problems
from composer.check.problem import Problem
from composer.formats.abc.reader.lexer import TuneText
from composer.formats.abc.reader.parser import parse_tune

__all__ = ["patch"]


def patch(tune: TuneText, number: str, problems: Sequence[Problem]) -> tuple[TuneText, list[str]]:
    """`tune`, in which `problems` were found, with what can be mended by a stroke, and what was done.

    It bears `number` afterwards.
    """
    lines, done = list(tune.lines), list[str]()
    kinds = {each.kind for each in problems}
    if "e-mail in the music" in kinds:
        lines = _without_quoted_printable(lines)
        done.append("quoted-printable decoded")
        problems = all_problems(parse_tune(TuneText(tuple(lines), tune.first)))
    for each in sorted(problems, key=lambda each: each.place, reverse=True):
        if (patch := _PATCHES.get(each.kind)) is not None:
            at = each.line - tune.first
            line = patch[0](lines[at], each.column - 1)
            if line != lines[at]:
                lines[at] = line
                done.append(patch[1])
    if not lines[0].startswith("X:"):
        lines.insert(0, f"X:{number}")
        done.append(f"numbered {number}")
    elif number != number_of(tune):
        lines[0] = f"X:{number}"
        done.append(f"numbered {number}")
    return TuneText(tuple(lines), tune.first), list(dict.fromkeys(done))


def _without_character(line: str, at: int) -> str:
    return line[:at] + line[at + 1 :]


_TIE = re.compile(r"[^-|]*?(-)")


def _without_tie(line: str, at: int) -> str:
    """`line` without the tie of the note at `at`: the first one after it, or the one that stands there."""
    match = _TIE.match(line, at)
    return line[: match.start(1)] + line[match.end(1) :] if match else line


def _remark(line: str, at: int) -> str:
    return f"% {line}"


_PATCHES: dict[str, tuple[Callable[[str, int], str], str]] = {
    "unknown character": (_without_character, "characters that mean nothing left out"),
    "old line break": (_without_character, "old line breaks left out"),
    "dangling tie": (_without_tie, "ties to nothing left out"),
    "unknown field": (_remark, "unknown fields made remarks"),
    "text in the header": (_remark, "words in the header made remarks"),
}
"""For each kind of fault, what mends a line of which the character at a place is at fault, and what that is called."""


def _without_quoted_printable(lines: Sequence[str]) -> list[str]:
    """Lines as they were before a mail program wrote them in quoted-printable."""
    text = re.sub(r"=\n", "", "\n".join(lines) + "\n")
    return re.sub(r"=(20|3D)", lambda match: chr(int(match[1], 16)), text).rstrip("\n").split("\n")
