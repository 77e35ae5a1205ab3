"""The edges: which file formats there are, and bytes in each of them from a Score.

Importing this package is cheap; the module of a format, and the libraries it stands on, load when it is used.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from composer.api import ComposerError, OptionError, Score, Tempo
from composer.formats.abc.title import TitleWriter

__all__ = ["FORMATS", "Format", "WriteSettings", "format_named", "format_of", "write"]


class Format(NamedTuple):
    """A way of writing a piece down. The first of `suffixes` is the usual one; `binary` must not go to a terminal."""

    name: str
    suffixes: tuple[str, ...]
    binary: bool
    summary: str


FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        Format("abc", (".abc",), False, "ABC notation, as text"),
        Format("midi", (".mid", ".midi"), True, "MIDI, for players and music programs"),
        Format("musicxml", (".musicxml", ".xml"), False, "MusicXML, for notation programs"),
        Format("tokens", (".tokens",), False, "the symbols of a representation, separated by blanks"),
        Format("text", (".txt",), False, "plain text"),
    )
}
"""Every format by its name. `tokens` and `text` are written by representations themselves, never from a Score."""


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """How a score is to sound and be headed, where it should not be as the score says.

    `tempo` is in quarter notes a minute, `instrument` a General MIDI program 0 to 127, `velocity` 1 to 127. Raises
    OptionError for a value out of its range.
    """

    tempo: float | None = None
    instrument: int | None = None
    velocity: int | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.tempo is not None and not 4 <= self.tempo <= 1000:
            raise OptionError(f"a tempo of {self.tempo:g} is out of range", "give 4 to 1000 quarter notes a minute")
        if self.instrument is not None and not 0 <= self.instrument <= 127:
            raise OptionError(
                f"there is no instrument {self.instrument}", "General MIDI numbers them 0 to 127; 0 is a piano"
            )
        if self.velocity is not None and not 1 <= self.velocity <= 127:
            raise OptionError(f"a velocity of {self.velocity} is out of range", "give 1 (softest) to 127 (loudest)")


def format_of(path: Path) -> Format | None:
    """The format that the suffix of `path` stands for; None where it stands for none."""
    suffix = path.suffix.lower()
    return next((known for known in FORMATS.values() if suffix in known.suffixes), None)


def format_named(name: str) -> Format:
    """The format `name`. Raises OptionError, naming the nearest ones, where there is none."""
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name.lower(), FORMATS, cutoff=0.4) or list(FORMATS)
    raise OptionError(f"there is no format `{name}`", f"did you mean {' or '.join(near)}?")


def write(format_name: str, score: Score, settings: WriteSettings | None = None) -> bytes:
    """`score` in the format `format_name`: the same bytes every time.

    Raises OptionError for an unknown format, ComposerError for one that has no notes, or that cannot hold this score.
    """
    name = format_named(format_name).name
    if name not in _WRITERS:
        raise ComposerError(
            f"`{name}` is not written from notes",
            f"choose one of {', '.join(_WRITERS)}, or another representation",
        )
    settings = settings or WriteSettings()
    if settings.title:
        score = replace(score, title=settings.title)
    return _WRITERS[name](score, settings)


def _abc(score: Score, settings: WriteSettings) -> bytes:
    if settings.tempo is not None:
        score = replace(score, tempos=(Tempo(Fraction(0), settings.tempo),))
    if settings.instrument is not None:
        score = replace(score, parts=tuple(replace(part, program=settings.instrument) for part in score.parts))
    text: str = importlib.import_module("composer.formats.abc.writer.score").write(score)
    return TitleWriter(settings.title).push(text.encode()) if settings.title else text.encode()


def _midi(score: Score, settings: WriteSettings) -> bytes:
    data: bytes = importlib.import_module("composer.formats.midi.reader").write(score, settings)
    return data


def _musicxml(score: Score, settings: WriteSettings) -> bytes:
    data: bytes = importlib.import_module("composer.formats.musicxml.reader").write(score, settings)
    return data


_WRITERS: dict[str, Callable[[Score, WriteSettings], bytes]] = {"abc": _abc, "midi": _midi, "musicxml": _musicxml}
