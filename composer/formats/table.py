"""The table of file formats, and writing a score in any of them.

To add a format, add a folder with a reader and a writer, and a row in FORMATS. Plugins add formats too. They are
loaded only if a name, a suffix or the content of a file is that of no row.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from composer.api import ComposerError, OptionError, Representation, Score
from composer.api.errors import suggest
from composer.api.file_format import Format, format_provider
from composer.formats.control_characters import without_control_characters
from composer.formats.settings import WriteSettings


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
            _lazy("abc.provenance:mark"), _lazy("abc.provenance:find_marks"), leaves_out=("velocity",),
            unscored=_lazy("abc.file:unscored"),
        ),
        Format(
            "midi", (".mid", ".midi"), True, "MIDI, for players and music programs",
            _lazy("midi:is_midi"), _lazy("midi.reader:read_pieces"), _lazy("midi.writer:write_midi"),
            _lazy("midi.writer:mark"), _lazy("midi.reader:find_marks"), (".kar", ".rmi", ".smf"),
            leaves_out=("composers",),
        ),
        Format(
            "musicxml", (".musicxml", ".xml"), False, "MusicXML, for notation programs",
            _lazy("musicxml:is_notation"), _lazy("musicxml.reader:read_pieces"), _lazy("musicxml.writer:write"),
            _lazy("musicxml.writer:mark"), _lazy("musicxml.reader:find_marks"), (".mxl",),
            leaves_out=("velocity",), unscored=_lazy("musicxml.reader:unscored"),
        ),
        Format(
            "kern", (".krn",), False, "kern, for the Humdrum toolkit; read only",
            _lazy("kern:is_kern"), _lazy("kern.reader:read_pieces"), read_suffixes=(".kern",),
        ),
        Format("mei", (".mei",), False, "MEI, for notation programs; read only",
            _lazy("mei:is_mei"), _lazy("mei.reader:read_pieces"),
        ),
        Format(
            "wav", (".wav",), True, "sound; written only",
            write=_lazy("wav.writer:write"), rendered_from="midi", leaves_out=("composers",),
        ),
        Format("tokens", (".tokens",), False, "tokens of a representation, separated by spaces"),
        Format("text", (".txt",), False, "plain text"),
    )
}  # fmt: skip


def plugin_formats() -> Mapping[str, Format]:
    """Return the formats that plugins add, by name."""
    return format_provider().formats(FORMATS)


def all_formats() -> dict[str, Format]:
    """Return all formats by name, the built-in ones first."""
    return {**FORMATS, **plugin_formats()}


def find_format(name: str) -> Format | None:
    """Return the format called `name`, None if there is none."""
    return FORMATS.get(name) or format_provider().format(name, FORMATS)


def format_of(path: Path) -> Format | None:
    """Return the format that the suffix of `path` stands for, if any."""
    suffix = path.suffix.lower()
    return (_with_suffix(suffix, FORMATS) or _with_suffix(suffix, plugin_formats())) if suffix else None


def _with_suffix(suffix: str, among: Mapping[str, Format]) -> Format | None:
    return next((each for each in among.values() if suffix in each.suffixes), None)


def format_named(
    name: str, kind: type[Representation] | None = None, is_useful: Callable[[Format], bool] | None = None
) -> Format:
    """Return the format `name`.

    Raises OptionError with the nearest names: of those that `kind` is written in, or the useful ones, if given.
    """
    if found := find_format(name):
        return found
    known = all_formats().values() if kind is None else formats_of(kind)
    names = [each.name for each in known if is_useful is None or is_useful(each)]
    raise OptionError(f"unknown format '{name}'", suggest(name.lower(), names, 3, 0.4))


def formats_of(kind: type[Representation]) -> list[Format]:
    """Return the formats that a representation is written in: its own, what is rendered from them, and plugins'."""
    own = [format_named(name) for name in kind.formats]
    own += [each for each in FORMATS.values() if each.rendered_from in kind.formats]
    return own + [each for each in plugin_formats().values() if each not in own and can_write(kind, each)]


def can_write(kind: type[Representation], chosen: Format) -> bool:
    """Return whether pieces of a representation can be written in a format."""
    is_music = kind.score is not Representation.score
    if {chosen.name, chosen.rendered_from} & {*kind.formats}:
        return True
    return chosen.name not in FORMATS and chosen.write is not None and is_music


def detect(data: bytes) -> Format | None:
    """Return the format of a file by its content, if it is one that is read as music."""
    # ABC, the first row, has no magic number, so try it last
    return _recognized(data, reversed(FORMATS.values())) or _recognized(data, plugin_formats().values())


def _recognized(data: bytes, among: Iterable[Format]) -> Format | None:
    return next((each for each in among if each.recognize and each.recognize(data)), None)


def write(format_name: str, score: Score, settings: WriteSettings | None = None) -> bytes:
    """Return `score` in a format; the bytes are reproducible.

    Raises OptionError for an unknown format, ComposerError for one without notes or that cannot hold this score.
    """
    chosen = format_named(format_name)
    if chosen.write is None:
        others = ", ".join(each.name for each in all_formats().values() if each.write)
        hint = f"choose one of {others}, or another representation"
        raise ComposerError(f"a score cannot be written as {chosen.name}", hint)
    settings = settings or WriteSettings()
    return chosen.write(without_control_characters(settings.applied_to(score)), settings)
