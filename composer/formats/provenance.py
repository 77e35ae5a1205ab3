"""Provenance of generated pieces: how they were made, stored in their files.

It is one line of ASCII in all formats: `composer 1.0.0 {"representation":"abc","seed":5}`. ABC holds it in `%%composer`
lines at the end of the tune, MIDI in a sequencer-specific event, MusicXML in a field of the identification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from composer.api import ReadError, Source
from composer.formats import FORMATS, Format, detect, find_format
from composer.formats.abc.provenance import is_provenance, is_summary, mark_in_header

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

    def changed_by(self, command: str) -> Provenance:
        """Return the provenance of a piece that a `command` of ours changed after it was generated."""
        return self._replace(facts={**self.facts, "changed_by": command})

    def as_generated(self) -> Provenance:
        """Return the provenance of the piece before any command changed it."""
        return self._replace(facts={name: value for name, value in self.facts.items() if name != "changed_by"})

    @classmethod
    def parse(cls, text: str, name: str) -> Provenance:
        """Parse `text`, found in the file `name`. Raises ReadError."""
        match = _TEXT.fullmatch(text.strip()) if text.isascii() else None
        try:
            facts = json.loads(match[2]) if match else None
        except (ValueError, RecursionError):
            facts = None
        if is_summary(text):
            fault = f"the settings recorded for `{text}` in {name} are missing, edited or from another tune"
            raise ReadError(fault, "restore the original file")
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


def mark_as_changed(tune: str, command: str) -> str:
    """Return a tune in ABC whose provenance, if it has any that can be read, says that `command` changed it."""
    try:
        found = read_first(tune.encode(), "the tune")
    except ReadError:
        return tune
    if found is None:
        return tune
    music = "".join(without_provenance(tune.splitlines(keepends=True)))
    return mark("abc", music.encode(), found.changed_by(command)).decode()


def older_marks(format_name: str, data: bytes, provenance: Provenance) -> Iterator[bytes]:
    """Yield a file with one piece as older versions marked it."""
    text = provenance.text.encode()
    if format_name == "abc":
        yield mark_in_header(data, text)
    elif format_name == "midi":
        from composer.formats.midi.writer import mark_as_text

        yield mark_as_text(data, text)


def read(data: bytes, name: str) -> list[Provenance]:
    """Return the provenance of each piece of the file `name` that has it. Raises ReadError if it is damaged."""
    return [Provenance.parse(text, name) for text in _texts(data)]


def read_first(data: bytes, name: str) -> Provenance | None:
    """Return the first provenance in the file `name`. Raises ReadError if it is damaged."""
    text = next(_texts(data), None)
    return Provenance.parse(text, name) if text is not None else None


def missing(name: str) -> ReadError:
    """Return the error for a file without provenance."""
    return ReadError(
        f"no provenance in {name}",
        "use an ABC, MIDI or MusicXML file that `composer gen` wrote without --no-provenance",
    )


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
    return (line for line in lines if not is_provenance(line))


_SPECIAL = re.compile(r"[%&<>\x7f]")
_TEXT = re.compile(r"composer (\d\S*) (\{.*)", re.DOTALL)


def _texts(data: bytes) -> Iterator[str]:
    """Yield the lines of provenance in a file."""
    found = detect(data) or FORMATS["abc"]
    if found.find_marks is not None:
        yield from (text[:MAX_LENGTH] for text in found.find_marks(data))
