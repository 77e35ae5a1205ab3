"""Where one file first is another than a second, in words."""

from __future__ import annotations

from itertools import zip_longest

from composer.formats import FORMATS, detect

__all__ = ["difference"]

MAX_SHOWN = 60
"""How much is shown of a line that differs."""

SHOWN_BEFORE = 20
"""How much of that stands before the place where it does."""


def difference(before: bytes, after: bytes, format_name: str) -> str:
    """Where a file in the format `format_name` first is another than what is composed again."""
    found = detect(before) or FORMATS["abc"]
    if found.name != format_name:
        return f"it is {found.summary.partition(',')[0]}, and was composed as {format_name}"
    if FORMATS[format_name].binary:
        return (
            f"they differ from byte {_first_difference(before, after) + 1:,} on, of {len(before):,} and {len(after):,}"
        )
    old, new = before.splitlines(), after.splitlines()
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            texts = [line.decode("utf-8", "replace") for line in (one, other)]
            at = _first_difference(*texts)
            return f"line {number:,} is {_shown(texts[0], at)}, not {_shown(texts[1], at)}"
    if len(old) == len(new):
        return "they differ in how their lines end"
    more = "goes on after" if len(old) > len(new) else "ends with"
    return f"it {more} line {min(len(old), len(new)):,}"


def _first_difference(one: str | bytes, other: str | bytes) -> int:
    """Where two that differ part."""
    pairs = enumerate(zip_longest(one, other))
    return next((at for at, (left, right) in pairs if left != right), 0)


def _shown(line: str, at: int) -> str:
    """A line, or what of it stands around the place `at`."""
    if len(line) <= MAX_SHOWN:
        return f"`{line}`"
    begin = max(0, min(at - SHOWN_BEFORE, len(line) - MAX_SHOWN))
    shown = line[begin : begin + MAX_SHOWN]
    return f"{'...' if begin else ''}`{shown}`{'...' if begin + MAX_SHOWN < len(line) else ''}"
