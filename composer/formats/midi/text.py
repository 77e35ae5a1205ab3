"""Decode the text of MIDI files, whose encoding the standard leaves open, with chardet."""

from __future__ import annotations

from collections.abc import Iterable

_ENCODINGS = (
    "utf-8", "cp1252", "cp1251", "cp1253", "koi8-r", "cp932", "euc-jp", "gb18030", "big5", "cp949",
)  # fmt: skip
"""Encodings that music programs write; among all that exist, short texts are ambiguous."""
_MAX_EXAMINED = 4096
"""The number of bytes of a file's text from which its encoding is detected."""


def detect_encoding(texts: Iterable[bytes]) -> str:
    """Return the most likely encoding of `texts`, all from one file; `utf-8` if they are ASCII."""
    unclear = b"\n".join(text for text in dict.fromkeys(texts) if not _is_utf8(text))[:_MAX_EXAMINED]
    if not unclear:
        return "utf-8"
    import chardet

    return chardet.detect(unclear, include_encodings=_ENCODINGS)["encoding"] or "cp1252"


def decode_text(raw: bytes, encoding: str) -> str:
    """Decode the text of an event as UTF-8 if it is valid, else in `encoding`, as one printable line."""
    return printable_line(raw.decode("utf-8" if _is_utf8(raw) else encoding, "replace"))


def printable_line(text: str) -> str:
    """Return `text` as one printable line."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
