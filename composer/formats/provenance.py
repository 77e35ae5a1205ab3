"""Provenance of generated pieces: how they were made, stored in their files.

It is one line of ASCII in all formats: `composer 1.0.0 {"representation":"abc","seed":5}`. ABC holds it in an `N:`
field, MIDI in a text event, MusicXML in a field of the identification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from composer.api import ReadError, Source
from composer.formats import FORMATS, Format, detect, find_format

__all__ = ["without_provenance"]

MAX_LENGTH = 16 * 1024 * 1024


class Provenance(NamedTuple):
    """The version of the `program`, and the facts that determine a piece's bytes, as JSON data."""

    program: str
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """One line of ASCII without special characters of any format."""
        facts = json.dumps(dict(self.facts), separators=(",", ":"))
        escaped = _SPECIAL.sub(lambda found: f"\\u{ord(found[0]):04x}", facts)
        return f"composer {self.program} {escaped}"

    @classmethod
    def parse(cls, text: str, name: str) -> Provenance:
        """Parse `text`, found in the file `name`. Raises ReadError."""
        match = _TEXT.fullmatch(text.strip()) if text.isascii() else None
        try:
            facts = json.loads(match[2]) if match else None
        except (ValueError, RecursionError):
            facts = None
        if match is None or not isinstance(facts, dict):
            raise ReadError(f"damaged provenance in {name}: {text[:40]}...", "restore the original file")
        return cls(match[1], facts)


def can_hold(format_name: str) -> bool:
    """Return whether files in a format can hold provenance."""
    found = find_format(format_name)
    return found is not None and found.mark is not None


def mark(format_name: str, data: bytes, provenance: Provenance) -> bytes:
    """Return a file with one piece, in a format that `can_hold` it, with its provenance."""
    found = find_format(format_name)
    assert found is not None
    assert found.mark is not None
    return found.mark(data, provenance.text.encode())


def read(data: bytes, name: str) -> list[Provenance]:
    """Return the provenance of each piece of the file `name` that has it. Raises ReadError if it is damaged."""
    return [Provenance.parse(text, name) for text in _texts(data)]


def read_first(data: bytes, name: str) -> Provenance | None:
    """Return the first provenance in the file `name`. Raises ReadError if it is damaged."""
    text = next(_texts(data), None)
    return Provenance.parse(text, name) if text is not None else None


def texts_of_pieces(source: Source, found: Format) -> list[str]:
    """Return the text of the provenance of each piece in `source`, a file of the format `found`; empty for none.

    Of formats other than ABC, only the first piece can have any.
    """
    if found.find_marks is None:
        return [""]
    if found.name != "abc":
        return [next(found.find_marks(source.bytes()), "")[:MAX_LENGTH]]
    from composer.formats.abc.reader.lexer import split_tunes

    tunes = split_tunes(source.text())
    return [next(found.find_marks(tune.text.encode("utf-8", "replace")), "")[:MAX_LENGTH] for tune in tunes]


def without_provenance(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of an ABC text without provenance."""
    return (line for line in lines if not _ABC.match(line))


class StreamMarker:
    """Marks a piece of ABC while it is being written."""

    def __init__(self, provenance: Provenance) -> None:
        self._provenance: Provenance | None = provenance
        self._pending = b""

    def push(self, data: bytes) -> bytes:
        """Return the bytes that are ready: none before the `X:` line is complete."""
        if self._provenance is None:
            return data
        self._pending += data
        return self.finish() if _NUMBER.search(self._pending) else b""

    def finish(self) -> bytes:
        pending, self._pending = self._pending, b""
        if self._provenance is not None:
            pending = mark("abc", pending, self._provenance)
            self._provenance = None
        return pending


_SPECIAL = re.compile(r"[%&<>\x7f]")
_TEXT = re.compile(r"composer (\d\S*) (\{.*)", re.DOTALL)
_ABC = re.compile(r"N:composer \d")
_NUMBER = re.compile(rb"^X:[^\n]*\n", re.MULTILINE)


def _texts(data: bytes) -> Iterator[str]:
    """Yield the lines of provenance in a file."""
    found = detect(data) or FORMATS["abc"]
    if found.find_marks is not None:
        yield from (text[:MAX_LENGTH] for text in found.find_marks(data))
