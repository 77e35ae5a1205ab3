"""Files of music as scores, whatever their format: what `show` draws, and primers for other representations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from composer import formats
from composer.api import ReadError, Score, Source


def scores(source: Source) -> Iterator[Score]:
    """The scores in a file, by what it holds rather than by its suffix. Raises ReadError where there is none."""
    data = source.bytes()
    if data[:4] in {b"MThd", b"RIFF"}:
        from composer.formats import midi

        yield midi.read(data, source.label)
    elif data[:2] == b"PK" or data.lstrip()[:5] in {b"<?xml", b"<scor"}:
        from composer.formats import notation

        yield notation.read(data, source.label)
    else:
        yield from _abc(source)


def is_other(source: Source, suffixes: Sequence[str]) -> bool:
    """True for a file of music of another kind than a representation that reads `suffixes` can read itself."""
    if source.data is not None:
        return source.data[:4] == b"MThd" and ".mid" not in suffixes
    known = formats.format_of(Path(source.path))
    return known is not None and known.name in {"abc", "midi", "musicxml"} and not set(known.suffixes) & set(suffixes)


def _abc(source: Source) -> Iterator[Score]:
    """The tunes of an ABC file that sound; where none does, the error says why the first does not."""
    from composer.formats.abc.lexer import split_tunes
    from composer.formats.abc.reader import read_tune

    text = source.text()
    failure: ReadError | None = None
    sounded = False
    for tune in split_tunes(text) if re.search(r"^[XK]:", text, re.MULTILINE) else ():
        try:
            score = read_tune(tune)
        except ReadError as error:
            failure = failure or error
            continue
        sounded = True
        yield score
    if not sounded:
        raise ReadError(
            f"there is no music in {source.label}{f': {failure.message}' if failure else ''}",
            "give ABC, MIDI or MusicXML with notes in it",
        )
