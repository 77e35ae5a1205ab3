"""Where a tune is not as it should be, in words that hold for any file that it may come from: by what stands there."""

from __future__ import annotations

import re
from collections.abc import Collection

from composer.music.keys import parse_key

__all__ = ["header_conflict", "place_of"]

_QUOTED = 16
"""So many characters before a place are quoted."""

_HEADER = re.compile(r"(?:[A-Z]:.*(?:\n|$))*")


def place_of(text: str, at: int) -> str:
    """Where character `at` is: what it is, and what stands before it."""
    character = {"\n": "the end of the line", " ": "the blank"}.get(text[at], f"`{text[at]}`")
    line = text.rfind("\n", 0, max(at - 1, 0)) + 1
    before = text[max(line, at - _QUOTED) : at].rstrip("\n")
    return f"{character} after `{before}`" if before else f"{character} at its beginning"


def header_conflict(text: str, at: int, controls: Collection[str], whose: str) -> str:
    """What the header of `text`, that of `whose` tune, says other than the `controls`, where character `at` is the
    first that cannot be; empty where that is behind the header.
    """  # fmt: skip
    header = _HEADER.match(text)
    if header is None or at >= header.end():
        return ""
    begin = text.rfind("\n", 0, at) + 1
    name, _, value = text[begin:].partition("\n")[0].partition(":")
    if name != "R" and "rhythm" in controls:
        return f"{whose} names no rhythm"
    if name == "R":
        return f"{whose} is a {value}"
    key = parse_key(value) if name == "K" and "mode" in controls else None
    return f"{whose} is in {key.tonic} {key.mode}" if key is not None else f"{whose} is in {value}"
