"""Check kern before music21 reads it, which would take hours over malicious or damaged files."""

from __future__ import annotations

import re

from composer.api import ReadError

_HINT = "open it in a notation program and export it again as MusicXML"

MAX_BARS = 2000
"""Per part. music21 takes a second for the first thousand bars and four for the second."""
MAX_PARTS, MAX_NOTES = 256, 200_000
MAX_SIGNS = 500
"""Lines of kern with clefs, keys, instruments and the like."""

_HUGE_KERN_METER = re.compile(r"\*M(?:[\d+]*\d{4}|[\d+]{64}|[\d+]*/\d{4})")
_KERN_SIGN = re.compile(r"^\*(?!.*\*[\^v])", re.MULTILINE)


def check_kern(data: bytes, name: str) -> str:
    """Decode kern within the limits. Raises ReadError for others."""
    text = data.decode("utf-8", "replace")
    lines = text.splitlines()
    counts = {
        "bars": (sum(line.startswith("=") for line in lines), MAX_BARS),
        "spines": (max(line.count("\t") + 1 for line in lines), MAX_PARTS),
        "clefs, keys and the like": (len(_KERN_SIGN.findall(text)), MAX_SIGNS),
        "lines": (len(lines), MAX_NOTES),
    }
    for what, (count, limit) in counts.items():
        _check_limit(name, what, count, limit)
    if _HUGE_KERN_METER.search(text):
        raise ReadError(f"{name} has an impossible meter", _HINT)
    return text


def _check_limit(name: str, what: str, count: int, limit: int) -> None:
    if count > limit:
        raise ReadError(f"{name} has more than {limit:,} {what}", "split it into smaller files")
