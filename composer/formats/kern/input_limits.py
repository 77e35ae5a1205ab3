"""Check kern before music21 reads it, which would take hours over malicious or damaged files."""

from __future__ import annotations

import re

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.formats.limits import check_count

MAX_BARS, MAX_SPINES = 5000, 256
MAX_SIGNS = 20_000
"""Lines with clefs, keys, instruments and the like."""
MAX_TOKENS, MAX_NOTES = 80_000, 25_000
"""Of all spines together, rests among the notes. converter21 takes 0.2 ms for a note and 0.05 for other tokens."""
MAX_LINE_LENGTH = 20_000
"""In characters."""

_HUGE_METER = re.compile(r"\*M(?:[\d+]*\d{4}|[\d+]{64}|[\d+]*/\d{4})")
_HUGE_LENGTH = re.compile(r"(?<!\d)(?:\d+%\d{3,}|0{5,})(?!\d)")
"""Of over 99 whole notes. converter21 fills the other spines of a bar with rests for hours."""
_SIGN = re.compile(r"^\*(?!.*\*[\^v])", re.MULTILINE)


def check_kern(data: bytes, name: str) -> str:
    """Decode kern within the limits, with lines that end in line feeds. Raises ReadError for others."""
    text = re.sub(r"\r\n?", "\n", _decode(data))
    check_count(1 + text.count("\n") + text.count("\t"), MAX_TOKENS, "tokens", name)
    lines = text.split("\n")
    counts = {
        "bars": (sum(line.startswith("=") for line in lines), MAX_BARS),
        "spines": (max(line.count("\t") + 1 for line in lines), MAX_SPINES),
        "clefs, keys and the like": (len(_SIGN.findall(text)), MAX_SIGNS),
    }
    for what, (count, limit) in counts.items():
        check_count(count, limit, what, name)
    longest = raised(MAX_LINE_LENGTH)
    for number, line in enumerate(lines, 1):
        if len(line) > longest:
            hint = limit_hint("check that its suffix is right", len(line), MAX_LINE_LENGTH)
            raise ReadError(f"{name} is not kern: line {number} has more than {longest:,} characters", hint)
    for number, line in enumerate(lines, 1):
        if not line.startswith(("!", "*", "=")) and (huge := _HUGE_LENGTH.search(line)):
            hint = "correct it; 3%2 is two thirds of a whole note"
            raise ReadError(f"{name} has an impossible note length at line {number}: {huge[0][:20]}", hint)
    if _HUGE_METER.search(text):
        raise ReadError(f"{name} has an impossible meter", "correct the line that begins with *M")
    return text


def _decode(data: bytes) -> str:
    """Decode UTF-8, or Latin-1 as older files are in."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
