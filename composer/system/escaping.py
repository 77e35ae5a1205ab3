r"""Escape control characters in text for a terminal.

Titles, lyrics, file names and what libraries print may hold sequences that move the cursor, set the window's title or
reorder what is read. They are written as in Python's string literals, such as `\x1b` or `\u202e`: all terminals can
show ASCII, a reader can search for it, and unlike the symbols from U+2400 on it exists for all of them.
"""

from __future__ import annotations

import io
import re
from typing import TextIO
from urllib.parse import quote

_INVISIBLE = (
    r"\x7f-\x9f"  # DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    r"\u2028\u2029"  # line and paragraph separators
)
_UNSAFE = re.compile(
    rf"[\x00-\x08\x0b\x0c\x0e-\x1f{_INVISIBLE}]"  # C0 but tab and line feed
    r"|\r(?!\n)"
    r"|[\ud800-\udfff]"  # bytes of a file name that are not UTF-8
)
_UNSAFE_IN_NAME = re.compile(rf"[\x00-\x1f{_INVISIBLE}]")


def escape(text: str) -> str:
    """Return `text` with its control characters escaped; tabs and line ends stay."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escaped, text)


def escape_line(text: str) -> str:
    """Return `text` with its control characters escaped, line ends included: always one line."""
    return escape(text).replace("\r", "\\r").replace("\n", "\\n")


def escape_file_name(name: str) -> str:
    """Return the name of a file with its control characters as in a URL: `%1B` is the same file on every system."""
    return _UNSAFE_IN_NAME.sub(lambda found: quote(found[0]), name)


def escape_bytes(data: bytes) -> bytes:
    """Return text in UTF-8 with its control characters escaped, and bytes that are not UTF-8."""
    return escape(data.decode("utf-8", "backslashreplace")).encode()


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # the byte that Python reads as this surrogate
    return "\\r" if code == 0x0D else f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class EscapedStream(io.TextIOBase):
    """A text stream that escapes what libraries and plugins write, as text or as bytes, to `stream`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    @property
    def buffer(self) -> io.RawIOBase:
        return _EscapedBytes(self)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        self._stream.flush()

    def write(self, text: str) -> int:
        self._stream.write(escape(text))
        return len(text)


class _EscapedBytes(io.RawIOBase):
    """The bytes of an EscapedStream."""

    def __init__(self, stream: EscapedStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        written = bytes(data)  # type: ignore[call-overload]
        self._stream.write(written.decode("utf-8", "backslashreplace"))
        return len(written)
