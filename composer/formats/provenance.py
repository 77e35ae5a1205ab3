"""What made a piece, written into its file where the format has a place for it, and read again.

It is one line of ASCII, the same in every format: `composer 1.0.0 {"representation":"abc","seed":5}`. What its object
says is the business of who writes it; here is how a file holds it. In ABC it is an `N:` field, which players and
engravers keep to themselves at any length; in MIDI a text event at the beginning; in MusicXML a field of the
identification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from composer.api import ReadError

__all__ = ["Provenance", "StreamMarker", "can_hold", "format_of", "mark", "read", "read_first", "without_provenance"]

MAX_LENGTH = 16 * 1024 * 1024
"""The most bytes that are looked at of what a file says of itself."""


class Provenance(NamedTuple):
    """What made a piece: the version of the `program`, and what else its bytes depend on, as plain JSON."""

    program: str
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """One line of ASCII, without any character that a format takes for more than itself."""
        told = json.dumps(dict(self.facts), separators=(",", ":"))
        return f"composer {self.program} {_SPECIAL.sub(_escaped, told)}"

    @classmethod
    def parse(cls, text: str, name: str) -> Provenance:
        """What `text`, found in the file `name`, says. Raises ReadError where that is damaged."""
        match = _TEXT.fullmatch(text.strip()) if text.isascii() else None
        try:
            facts = json.loads(match[2]) if match else None
        except (ValueError, RecursionError):
            facts = None
        if match is None or not isinstance(facts, dict):
            raise ReadError(
                f"what {name} says of how it was made is damaged: {text[:40]}...", "take the file as it was written"
            )
        return cls(match[1], facts)


def format_of(data: bytes) -> str:
    """The format that a file's bytes are in, of those that hold provenance; ABC, where they are in none of them."""
    if data.startswith(b"MThd"):
        return "midi"
    return "musicxml" if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "abc"


def can_hold(format_name: str) -> bool:
    """Whether files in a format can say what made them."""
    return format_name in _PLACES


def mark(format_name: str, data: bytes, provenance: Provenance) -> bytes:
    """One piece, written in a format that `can_hold` it, with its provenance in its place."""
    return _PLACES[format_name](data, provenance.text.encode())


def read(data: bytes, name: str) -> list[Provenance]:
    """What made each piece of the file `name`, in order, as far as they say. Raises ReadError where that is damaged."""
    return [Provenance.parse(text, name) for text in _texts(data)]


def read_first(data: bytes, name: str) -> Provenance | None:
    """What made the first piece of the file `name` that says it. Raises ReadError where that is damaged."""
    text = next(_texts(data), None)
    return Provenance.parse(text, name) if text is not None else None


def without_provenance(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an ABC text but for those that say what made it."""
    return (line for line in lines if not _ABC.match(line))


class StreamMarker:
    """A piece of ABC that is marked while it is being written."""

    def __init__(self, provenance: Provenance) -> None:
        self._provenance: Provenance | None = provenance
        self._held = b""

    def push(self, data: bytes) -> bytes:
        """The bytes that `data` completes; none before the line that the mark comes after is whole."""
        if self._provenance is None:
            return data
        self._held += data
        if not _NUMBER.search(self._held):
            return b""
        return self.finish()

    def finish(self) -> bytes:
        """The bytes that were held back."""
        held, self._held = self._held, b""
        if self._provenance is not None:
            held = mark("abc", held, self._provenance)
            self._provenance = None
        return held


_SPECIAL = re.compile(r"[%&<>\x7f]")
_TEXT = re.compile(r"composer (\d\S*) (\{.*)", re.DOTALL)
_ABC = re.compile(r"N:composer \d")
_NUMBER = re.compile(rb"^X:[^\n]*\n", re.MULTILINE)
_FIELD = b'<miscellaneous-field name="composer">'
_END_OF_TRACK = b"\x00\xff\x2f\x00"
_FROM_ABC = re.compile(rb"^N:(composer \d[^\r\n]*)", re.MULTILINE)
_FROM_MIDI = re.compile(rb"\xff\x01([\x80-\xff]{0,3}[\x00-\x7f])(?=composer \d)")
_FROM_MUSICXML = re.compile(re.escape(_FIELD) + rb"([^<]*)<")


def _into_abc(data: bytes, text: bytes) -> bytes:
    """After the tune's number; a text without one stays as it is, since no line of it can be told from music."""
    return _NUMBER.sub(lambda match: match[0] + b"N:" + text + b"\n", data, count=1)


def _into_midi(data: bytes, text: bytes) -> bytes:
    """As the last event of the first track, which holds no notes."""
    start = 8 + int.from_bytes(data[4:8], "big")
    end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
    track = data[start + 8 : end].removesuffix(_END_OF_TRACK)
    track += b"\x00\xff\x01" + _quantity(len(text)) + text + _END_OF_TRACK
    return data[: start + 4] + len(track).to_bytes(4, "big") + track + data[end:]


def _into_musicxml(data: bytes, text: bytes) -> bytes:
    """As the last part of the identification, where the schema has it."""
    field = b"  <miscellaneous>\n      " + _FIELD + text + b"</miscellaneous-field>\n    </miscellaneous>\n  "
    return data.replace(b"</identification>", field + b"</identification>", 1)


_PLACES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "abc": _into_abc,
    "midi": _into_midi,
    "musicxml": _into_musicxml,
}


def _texts(data: bytes) -> Iterator[str]:
    """What stands in the places of the format that `data` is in."""
    kind = format_of(data)
    if kind == "midi":
        for match in _FROM_MIDI.finditer(data):
            length = 0
            for byte in match[1]:
                length = length << 7 | byte & 0x7F
            yield _ascii(data[match.end() : match.end() + min(length, MAX_LENGTH)])
    elif kind == "musicxml":
        for match in _FROM_MUSICXML.finditer(data):
            yield _unescaped(_ascii(match[1]))
    else:
        for match in _FROM_ABC.finditer(data):
            yield _ascii(match[1])


def _ascii(data: bytes) -> str:
    return data[:MAX_LENGTH].decode("ascii", "replace")


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


def _unescaped(text: str) -> str:
    """`text` as an XML writer may have escaped it."""
    from xml.sax.saxutils import unescape

    return unescape(text, {"&quot;": '"', "&apos;": "'"})


def _quantity(number: int) -> bytes:
    """A number as MIDI writes lengths: seven bits to a byte, all but the last with the eighth set."""
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(number & 0x7F | 0x80)
    return bytes(reversed(found))
