"""MEI, the XML format of the Music Encoding Initiative, read by music21 with converter21."""

import re

_BEFORE = {b"<?": b"?>", b"<!--": b"-->", b"<!DOCTYPE": b">"}
"""The beginnings of what may precede the first element, and their ends."""
_BLANK = re.compile(rb"\s*")
_ROOT = re.compile(rb"<(?:[\w.-]+:)?mei(?:Corpus)?[\s>]")


def is_mei(data: bytes) -> bool:
    """Return whether `data` is XML whose first element is that of MEI, in UTF-8 or UTF-16."""
    # in UTF-16 every other byte of this text is zero
    text = data[:65536].replace(b"\0", b"")
    at = next((len(mark) for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff") if text.startswith(mark)), 0)
    # not one pattern: where the end of something is missing, it would try all ways to divide the text
    while True:
        at = _end_of_blank(text, at)
        end = next((end for begin, end in _BEFORE.items() if text.startswith(begin, at)), None)
        if end is None:
            return _ROOT.match(text, at) is not None
        found = text.find(end, at)
        if found < 0:
            return False
        at = found + len(end)


def _end_of_blank(text: bytes, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None
    return blank.end()
