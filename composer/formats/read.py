"""Music in a file as scores, whatever its format: what representations learn from, and what `show` draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

from composer.api import ReadError, RejectedPiece, Score, Source
from composer.formats.midi import reader as midi_reader
from composer.formats.midi import ticks

SUFFIXES = (".mid", ".midi", ".abc", ".musicxml", ".mxl", ".xml", ".krn")
"""The usual suffixes of files of music."""

_TUNES = re.compile(r"^[XK]:", re.MULTILINE)


def read(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """Each piece in `source` by name, as a score, or as RejectedPiece where it cannot be played.

    What the file holds decides how it is read, not its suffix. With `pedal`, notes of a MIDI file sound as long as the
    sustain pedal holds them. Raises ReadError where the source as a whole is no music.
    """
    data = source.bytes()
    if not data.strip():
        raise ReadError(f"{source.label} is empty", "give ABC, MIDI, MusicXML or kern with notes in it")
    if ticks.is_midi(data):
        yield source.label, midi_reader.read(data, source.label, pedal=pedal)
    elif _marked_up(data):
        from composer.formats.musicxml import reader as musicxml_reader

        score = musicxml_reader.read(data, source.label)
        if fault := _beyond_limits(score):
            raise ReadError(f"{source.label} {fault}", "take the excess out, or split it into smaller files")
        yield source.label, score
    else:
        yield from _tunes(source)


def is_music(source: Source) -> bool:
    """True where `source` holds music in one of the formats that are read here, broken or not."""
    return bool(suffix_of(source))


def suffix_of(source: Source) -> str:
    """The usual suffix of what `source` holds, whatever it is called: `.mid`, `.musicxml`, `.abc`, or none of these."""
    data = source.bytes()
    if ticks.is_midi(data):
        return ".mid"
    if _marked_up(data):
        return ".musicxml"
    with suppress(ReadError):
        return ".abc" if _TUNES.search(source.text()) else ""
    return ""


def playable_scores(source: Source) -> Iterator[Score]:
    """The pieces of `source` that can be played. Raises ReadError that says why the first cannot, where none can."""
    refused: RejectedPiece | None = None
    sounded = False
    for _, score in read(source):
        if isinstance(score, RejectedPiece):
            refused = refused or score
            continue
        sounded = True
        yield score
    if not sounded:
        raise _no_music_error(source, refused)


def _no_music_error(source: Source, refused: RejectedPiece | None) -> ReadError:
    """The error for a source without music, with the reason where one is known."""
    return ReadError(
        f"there is no music in {source.label}{f': {refused.reason}' if refused else ''}",
        "give ABC, MIDI, MusicXML or kern with notes in it",
    )


def _marked_up(data: bytes) -> bool:
    """True for MusicXML, packed or not, in UTF-8 or UTF-16, and for kern."""
    if data[:2] == b"PK":
        return True
    # every other byte of such a text in UTF-16 is zero
    begin = data[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return begin[:2] in {b"<?", b"<s", b"<!", b"**"} or (begin[:2] == b"!!" and b"\n**" in begin)


def _beyond_limits(score: Score) -> str:
    """What of `score` is beyond all music, as MIDI's own bounds have it; empty where nothing is."""
    notes = sorted(note for part in score.parts for note in part.notes)
    sounded = Fraction(0)
    for note in notes:
        if note.onset - sounded > ticks.MAX_SILENCE:
            return f"is silent for more than {ticks.MAX_SILENCE:,} beats in one place"
        sounded = max(sounded, note.end)
    if max(sounded, score.duration) > ticks.MAX_BEATS:
        return f"is more than {ticks.MAX_BEATS:,} beats long"
    return f"has more than {ticks.MAX_NOTES:,} notes" if len(notes) > ticks.MAX_NOTES else ""


def _tunes(source: Source) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """The tunes of an ABC file."""
    from composer.formats.abc.reader.lexer import split_tunes
    from composer.formats.abc.reader.score import read_tune

    text = source.text()
    if not _TUNES.search(text):
        raise _no_music_error(source, None)
    for number, tune in enumerate(split_tunes(text), 1):
        first_line = tune.lines[0] if tune.lines else ""
        numbered = first_line[2:].strip() if first_line.startswith("X:") else ""
        name = f"{source.label}: tune {numbered or number}"
        try:
            score = read_tune(tune)
            fault = _beyond_limits(score)
            yield name, RejectedPiece(f"it {fault}", name, f"line {tune.first}") if fault else score
        except (ReadError, ArithmeticError, ValueError, RecursionError) as error:
            yield name, RejectedPiece(str(error), name, f"line {tune.first}")
