"""Music in a file of any kind: what `show` draws, and openings for a representation that does not read them itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from composer.api import Piece, ReadError, Score, Source
from composer.core import registry
from composer.formats import scores


def playable(source: Source) -> Iterator[Score]:
    """The pieces of `source` as scores: by what it holds, else by the representations that read its suffix.

    Raises ReadError where there is no music in it.
    """
    if scores.known(source):
        yield from scores.playable(source)
        return
    found = False
    for score in _represented(source):
        found = True
        yield score
    if not found:
        raise ReadError(f"there is no music in {source.label}", "give ABC, MIDI or MusicXML with notes in it")


def suffixes() -> set[str]:
    """The suffixes that any representation reads."""
    read = {suffix for loaded in registry.everything() if (kind := loaded.representation) for suffix in kind.suffixes}
    return read | set(scores.SUFFIXES)


def _represented(source: Source) -> Iterator[Score]:
    """The scores that the first representation makes of `source` that makes any."""
    suffix = Path(source.path).suffix.lower()
    for loaded in registry.everything():
        if loaded.representation is None or suffix not in loaded.representation.suffixes:
            continue
        representation = loaded.representation()
        found = False
        for item in representation.read(source):
            score = representation.score(item) if isinstance(item, Piece) else None
            if score is not None:
                found = True
                yield score
        if found:
            return
