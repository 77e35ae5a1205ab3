"""Describe the first difference between two files."""

from __future__ import annotations

from itertools import takewhile

from composer.formats import FORMATS, detect, format_named

MAX_SHOWN = 60
"""Characters shown of a line that differs."""

SHOWN_BEFORE = 20
"""Characters of these before the difference."""


def difference(before: bytes, after: bytes, format_name: str) -> str:
    """Return the first difference of a file in the format `format_name` from its reproduction."""
    found = detect(before) or FORMATS["abc"]
    if found.name != format_name:
        return f"it is {found.summary.partition(',')[0]}, and was composed as {format_name}"
    if format_named(format_name).binary:
        byte = common_length(before, after) + 1
        return f"first difference at byte {byte:,} of {len(before):,} and {len(after):,}"
    old, new = before.splitlines(), after.splitlines()
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            texts = [line.decode("utf-8", "replace") for line in (one, other)]
            at = common_length(*texts)
            return f"line {number:,} is {_shown(texts[0], at)}, not {_shown(texts[1], at)}"
    if len(old) == len(new):
        return "only the line endings differ"
    more = "continues" if len(old) > len(new) else "ends"
    return f"it {more} after line {min(len(old), len(new)):,}"


def common_length(one: str | bytes, other: str | bytes) -> int:
    """Return the length of the beginning that two texts share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _shown(line: str, at: int) -> str:
    """Return a line, or the part of it around index `at`."""
    if len(line) <= MAX_SHOWN:
        return f"`{line}`"
    begin = max(0, min(at - SHOWN_BEFORE, len(line) - MAX_SHOWN))
    shown = line[begin : begin + MAX_SHOWN]
    return f"{'...' if begin else ''}`{shown}`{'...' if begin + MAX_SHOWN < len(line) else ''}"
