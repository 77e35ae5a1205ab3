"""Kern, the format of the Humdrum toolkit, read by music21 with converter21."""

import re

_KERN = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*+[\r\n]|![^\r\n]*+[\r\n])*+\*\*")
"""Without going back, which would take 170 bytes of memory for each comment."""


def is_kern(data: bytes) -> bool:
    """Return whether `data` is Humdrum text: a line that names spines, after nothing but comments."""
    return bool(_KERN.match(data))
