"""Check an ABC file as a whole: tune numbers, blank lines between tunes, and text outside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from composer.check.problem import Problem, Severity
from composer.formats.abc.reader.lexer import TuneText, block_lines, is_music, strip_comment


def number_of(tune: TuneText) -> str:
    """Return the value of the tune's `X:` line; empty if it has none."""
    first = tune.lines[0] if tune.lines else ""
    return strip_comment(first[2:]).strip() if first.startswith("X:") else ""


def number_problems(tunes: Sequence[TuneText]) -> Iterator[Problem]:
    """Yield tunes whose number is already taken."""
    seen: dict[str, int] = {}
    for tune in tunes:
        number = number_of(tune)
        if number and number in seen:
            message = f"the tune at line {seen[number]} already has number {number}"
            yield Problem(tune.first, 1, "duplicate number", message, Severity.WARNING)
        elif number:
            seen[number] = tune.first


def without_blank_line(tunes: Sequence[TuneText]) -> list[TuneText]:
    """Return the tunes that directly follow another one."""
    ends = {tune.first + len(tune.lines) for tune in tunes if any(map(str.isprintable, tune.lines[-1]))}
    return [tune for tune in tunes if tune.first in ends]


def blank_problems(tunes: Sequence[TuneText]) -> Iterator[Problem]:
    """Yield tunes that need a blank line before them."""
    for tune in without_blank_line(tunes):
        message = "no blank line before this tune, so some programs treat it as part of the previous one"
        yield Problem(tune.first, 1, "no blank line", message, Severity.WARNING, number_of(tune))


def stray_problems(text: str, tunes: Sequence[TuneText]) -> Iterator[Problem]:
    """Yield music outside of tunes, which no program plays: after a blank line, or without an `X:` line."""
    lines = text.split("\n")
    inside = block_lines(lines)
    for tune in tunes:
        inside.update(range(tune.first - 1, tune.first - 1 + len(tune.lines)))
    for begin, block in _blocks(lines, inside):
        music = next((at for at, line in enumerate(block, begin) if is_music(line)), None)
        if music is not None and any(line.startswith("K:") for line in block):
            yield Problem(begin, 1, "tune without a number", "tune without an `X:` field, ignored")
        elif music is not None and begin > tunes[0].first:
            message = (
                "a blank line ends a tune, so this music belongs to none; remove the line, or begin a tune with `X:`"
            )
            yield Problem(music, 1, "music outside tunes", message, Severity.WARNING)
        elif music is not None:
            yield Problem(music, 1, "music outside tunes", "music before the first tune, ignored")


def _blocks(lines: Sequence[str], inside: set[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the blocks of lines outside tunes, separated by blank lines, and their first line's number."""
    block: list[str] = []
    for at, line in enumerate([*lines, ""]):
        if at in inside or not line.strip():
            if block:
                yield at - len(block) + 1, block
            block = []
        else:
            block.append(line)
