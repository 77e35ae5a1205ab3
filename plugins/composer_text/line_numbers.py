"""Line numbers in the margins of printed poems: found by what they count, and dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

_MARGIN = re.compile(r"(.*?)[^\S\n]{3,}(\d{1,5})")
"""A line with a number in its margin, after at least three spaces."""

TITLE_LINES = 4
"""Maximum number of lines above the first verse, such as a title and an author, that are not counted."""
OPEN_SEQUENCES = 8
"""Sequences of numbers that the next one may continue, so that other numbers may stand between line numbers."""


MIN_SHARE = 0.6
"""Of the numbers in the margin from the first to the last of a sequence, more than this share must be of it."""


class _Number(NamedTuple):
    """The `order`-th number in the margin, in the line numbered `line`, beside or below the `verse`-th line of text."""

    order: int
    line: int
    verse: int
    value: int


def without_line_numbers(text: str) -> tuple[str, int]:
    """Return `text` without the line numbers in its margins, and how many these were.

    Numbers in the margin are line numbers if they count lines: each is larger than the one before by the same step, or
    a multiple of it, and about as many lines of text are between them. There must be three of them, or two of which
    the first counts from the beginning, and few other numbers between them. Columns of other numbers, such as those of
    a table, a page of contents or numbered sections, are left as they are.
    """
    lines = text.split("\n")
    dropped = {
        number.line for numbers in _sequences(_numbers(lines)) if _are_line_numbers(numbers) for number in numbers
    }
    if not dropped:
        return text, 0
    kept: list[str] = []
    for index, line in enumerate(lines):
        if index not in dropped:
            kept.append(line)
        elif match := _MARGIN.fullmatch(line):
            kept += [match[1]] if match[1] else []
    return "\n".join(kept), len(dropped)


def _numbers(lines: Sequence[str]) -> Iterator[_Number]:
    verse = order = 0
    for index, line in enumerate(lines):
        match = _MARGIN.fullmatch(line)
        if line.strip() and (match is None or match[1]):
            verse += 1
        if match is not None and (match[1] or not _is_isolated(lines, index)):
            yield _Number(order, index, verse, int(match[2]))
            order += 1


def _is_isolated(lines: Sequence[str], index: int) -> bool:
    """Return whether a line is between blank lines, as the numbers of sections are."""
    return not any(lines[near].strip() for near in (index - 1, index + 1) if 0 <= near < len(lines))


def _sequences(numbers: Iterable[_Number]) -> Iterator[list[_Number]]:
    """Yield the sequences of numbers that count the lines between them by a step of two or more."""
    open_sequences: list[list[_Number]] = []
    for number in numbers:
        for sequence in reversed(open_sequences):
            if _counts_lines(sequence[-1], number):
                sequence.append(number)
                break
        else:
            open_sequences.append([number])
            if len(open_sequences) > OPEN_SEQUENCES:
                yield open_sequences.pop(0)
    yield from open_sequences


def _counts_lines(before: _Number, after: _Number) -> bool:
    step = after.value - before.value
    return step >= 2 and abs(after.verse - before.verse - step) <= step // 4


def _are_line_numbers(numbers: Sequence[_Number]) -> bool:
    steps = [after.value - before.value for before, after in pairwise(numbers)]
    if not steps or any(step % min(steps) for step in steps):
        return False
    first, last = numbers[0], numbers[-1]
    if len(numbers) <= (last.order - first.order + 1) * MIN_SHARE:  # others between them: a table
        return False
    return len(numbers) >= 3 or 0 <= first.verse - first.value <= TITLE_LINES
