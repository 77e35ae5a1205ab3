"""Music in a file as scores, whatever its format: what representations learn from, and what `show` draws."""

from __future__ import annotations

import re
from collections.abc import Iterator

from composer.api import ReadError, Refused, Score, Source

SUFFIXES = (".mid", ".midi", ".abc", ".musicxml", ".mxl", ".xml", ".krn")
"""The usual suffixes of files of music."""

_TUNES = re.compile(r"^[XK]:", re.MULTILINE)


def read(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | Refused]]:
    """Each piece in `source` by name, as a score, or as Refused where it cannot be played.

    What the file holds decides how it is read, not its suffix. With `pedal`, notes of a MIDI file sound as long as the
    sustain pedal holds them. Raises ReadError where the source as a whole is no music.
    """
    data = source.bytes()
    if not data.strip():
        raise ReadError(f"{source.label} is empty", "give ABC, MIDI, MusicXML or kern with notes in it")
    if _binary(data):
        from composer.formats import midi

        yield source.label, midi.read(data, source.label, pedal=pedal)
    elif _marked_up(data):
        from composer.formats import notation

        yield source.label, notation.read(data, source.label)
    else:
        yield from _tunes(source)


def known(source: Source) -> bool:
    """True where `source` holds music in one of the formats that are read here, broken or not."""
    data = source.bytes()
    return _binary(data) or _marked_up(data) or (b"\0" not in data and bool(_TUNES.search(source.text())))


def playable(source: Source) -> Iterator[Score]:
    """The pieces of `source` that can be played. Raises ReadError that says why the first cannot, where none can."""
    refused: Refused | None = None
    sounded = False
    for _, score in read(source):
        if isinstance(score, Refused):
            refused = refused or score
            continue
        sounded = True
        yield score
    if not sounded:
        raise _silent(source, refused)


def _silent(source: Source, refused: Refused | None) -> ReadError:
    """The error for a source without music, with the reason where one is known."""
    return ReadError(
        f"there is no music in {source.label}{f': {refused.reason}' if refused else ''}",
        "give ABC, MIDI, MusicXML or kern with notes in it",
    )


def _binary(data: bytes) -> bool:
    """True for MIDI."""
    return data[:4] in {b"MThd", b"RIFF"}


def _marked_up(data: bytes) -> bool:
    """True for MusicXML, packed or not, and kern."""
    return data[:2] == b"PK" or data.lstrip(b"\xef\xbb\xbf \t\r\n")[:2] in {b"<?", b"<s", b"<!", b"**", b"!!"}


def _tunes(source: Source) -> Iterator[tuple[str, Score | Refused]]:
    """The tunes of an ABC file."""
    from composer.formats.abc.lexer import split_tunes
    from composer.formats.abc.reader import read_tune

    text = source.text()
    if not _TUNES.search(text):
        raise _silent(source, None)
    for number, tune in enumerate(split_tunes(text), 1):
        first_line = tune.lines[0] if tune.lines else ""
        numbered = first_line[2:].strip() if first_line.startswith("X:") else ""
        name = f"{source.label}: tune {numbered or number}"
        try:
            yield name, read_tune(tune)
        except (ReadError, ArithmeticError, ValueError, RecursionError) as error:
            yield name, Refused(str(error), name, f"line {tune.first}")
