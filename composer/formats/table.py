"""The table of file formats, and writing a score in any of them.

To add a format, add a folder with a reader and a writer, and a row in FORMATS.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from composer.api import ComposerError, OptionError, RejectedPiece, Score, Source
from composer.api.errors import suggest
from composer.formats.settings import WriteSettings


class ReadPieces(Protocol):
    """Yields each piece of a source by name; `pedal` applies MIDI's sustain pedal."""

    def __call__(self, source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]: ...


class Format(NamedTuple):
    """A file format. The first of `suffixes` is the usual one; `binary` data must not go to a terminal.

    `recognize` and `read` are None for formats that hold no notes of their own, which representations read and write.
    `mark` puts a line of provenance into a file with one piece, and `find_marks` yields such lines.
    """

    name: str
    suffixes: tuple[str, ...]
    binary: bool
    summary: str
    recognize: Callable[[bytes], bool] | None = None
    read: ReadPieces | None = None
    write: Callable[[Score, WriteSettings], bytes] | None = None
    mark: Callable[[bytes, bytes], bytes] | None = None
    find_marks: Callable[[bytes], Iterator[str]] | None = None
    read_suffixes: tuple[str, ...] = ()
    """Suffixes of files that are read as this format but never written."""


def _lazy(path: str) -> Any:
    """Return a function that imports `module:function` when called."""
    module, name = path.split(":")

    def call(*args: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(f"composer.formats.{module}"), name)(*args, **named)

    return call


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            "abc", (".abc",), False, "ABC notation, as text",
            _lazy("abc.file:is_abc"), _lazy("abc.file:read_pieces"), _lazy("abc.file:write"),
            _lazy("abc.file:mark"), _lazy("abc.file:find_marks"),
        ),
        Format(
            "midi", (".mid", ".midi"), True, "MIDI, for players and music programs",
            _lazy("midi:is_midi"), _lazy("midi.reader:read_pieces"), _lazy("midi.writer:write_midi"),
            _lazy("midi.writer:mark"), _lazy("midi.reader:find_marks"),
        ),
        Format(
            "musicxml", (".musicxml", ".xml"), False, "MusicXML, for notation programs",
            _lazy("musicxml:is_notation"), _lazy("musicxml.reader:read_pieces"), _lazy("musicxml.writer:write"),
            _lazy("musicxml.writer:mark"), _lazy("musicxml.reader:find_marks"), (".mxl", ".krn"),
        ),
        Format("tokens", (".tokens",), False, "tokens of a representation, separated by spaces"),
        Format("text", (".txt",), False, "plain text"),
    )
}  # fmt: skip


def format_of(path: Path) -> Format | None:
    """Return the format that the suffix of `path` stands for, if any."""
    suffix = path.suffix.lower()
    return next((each for each in FORMATS.values() if suffix in each.suffixes), None)


def format_named(name: str, among: Iterable[str] = ()) -> Format:
    """Return the format `name`. Raises OptionError with the nearest names `among` these, by default all."""
    if name in FORMATS:
        return FORMATS[name]
    raise OptionError(f"unknown format '{name}'", suggest(name.lower(), among or FORMATS, 3, 0.4))


def detect(data: bytes) -> Format | None:
    """Return the format of a file by its content, if it is one that is read as music."""
    # ABC, the first row, has no magic number, so try it last
    return next((each for each in reversed(FORMATS.values()) if each.recognize and each.recognize(data)), None)


def write(format_name: str, score: Score, settings: WriteSettings | None = None) -> bytes:
    """Return `score` in a format; the bytes are reproducible.

    Raises OptionError for an unknown format, ComposerError for one without notes or that cannot hold this score.
    """
    chosen = format_named(format_name)
    if chosen.write is None:
        others = ", ".join(each.name for each in FORMATS.values() if each.write)
        hint = f"choose one of {others}, or another representation"
        raise ComposerError(f"a score cannot be written as {chosen.name}", hint)
    settings = settings or WriteSettings()
    return chosen.write(replace(score, title=settings.title) if settings.title else score, settings)
