"""Take out of kern what converter21 may fail at and what is read elsewhere or not needed."""

from __future__ import annotations

import re

from composer.formats.kern.signs import METER

_CLEF = re.compile(r"(?<![^\t\n])\*clef[^\t\n]*")
_ANY_METER = re.compile(r"(?<![^\t\n])\*M(?=[\dX(])[^\t\n]*")
_RECORD = re.compile(r"^!!!(?!!|RDF)[^\n]*\n", re.MULTILINE)
"""Reference records such as the title and dates; `!!!RDF` gives the meaning of letters in notes."""

_SLURRED = re.compile(r"^(?![*!=])[^\n]*[()][^\n]*", re.MULTILINE)
_SLUR = re.compile(r"&?[()]")
"""Slurs, whose ends converter21 looks for in a time that grows with the square of their number."""


def simplify(text: str) -> str:
    """Return kern without clefs, slurs and reference records, and with `*M5/8` for `*M3+2/8`.

    The notes stay the same.
    """
    text = _ANY_METER.sub(_plain_meter, _CLEF.sub("*", _RECORD.sub("", text)))
    return _SLURRED.sub(lambda line: _SLUR.sub("", line[0]), text)


def _plain_meter(token: re.Match[str]) -> str:
    found = METER.fullmatch(token[0])
    return f"*M{sum(map(int, found[1].split('+')))}/{found[2]}" if found else "*"
