"""Files with many pieces in a format of which most files hold one: ABC with numbered tunes."""

from __future__ import annotations

import re

from composer.formats import Format

COLLECTIONS = ("abc",)
"""Built-in formats of which a file may hold many pieces, besides those of representations."""


def numbered(chosen: Format, data: bytes, number: int) -> bytes:
    """Return a piece as number `number` of a file: ABC with that number, after a blank line."""
    if chosen.name not in COLLECTIONS or number == 1:
        return data
    return re.sub(rb"\AX:1\n", b"\nX:%d\n" % number, data)
