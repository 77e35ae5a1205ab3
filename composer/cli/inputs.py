"""Music in a file of any kind: what `show` draws, and what a representation can have of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source
from composer.formats.read import MUSIC_SUFFIXES, is_music, music_suffix, read_playable
from composer.registry import plugins as registry

FIX_HINT = "mend it, or give another file"


def playable_scores(source: Source) -> Iterator[Score]:
    """The pieces of `source` as scores: by what it holds, else by the representations that read its suffix.

    Raises ReadError where there is no music in it.
    """
    if is_music(source):
        yield from read_playable(source)
        return
    found = False
    for score in _scores_by_representation(source):
        found = True
        yield score
    if not found:
        raise ReadError(f"there is no music in {source.label}", "give ABC, MIDI or MusicXML with notes in it")


def suffixes() -> set[str]:
    """The suffixes that any representation reads."""
    read = {suffix for loaded in registry.load_all() if (kind := loaded.representation) for suffix in kind.suffixes}
    return read | set(MUSIC_SUFFIXES)


def pieces(
    source: Source,
    representation: Representation,
    written: Callable[[Score], Piece] | None = None,
    none: Callable[[Source, Representation, RejectedPiece | None], ReadError] | None = None,
) -> Iterator[Piece]:
    """The pieces of `source` as `representation` has them: as it reads them itself, else by way of their scores.

    `written` makes a piece of a score, by default as a whole piece. Raises ReadError where there is none, or what
    `none` makes of the first that was refused; EncodeError for a score that cannot be written so.
    """
    if is_other(source, representation):
        yield from map(written or representation.from_score, playable_scores(source))
        return
    refused, found = None, False
    for item in representation.read(source):
        if isinstance(item, Piece):
            found = True
            yield item
        else:
            refused = refused or item
    if not found:
        raise (none or _no_pieces_error)(source, representation, refused)


def _no_pieces_error(source: Source, representation: Representation, refused: RejectedPiece | None) -> ReadError:
    reason = f": {refused.reason}" if refused is not None else ""
    detail = f" ({refused.detail})" if refused is not None and refused.detail else ""
    return ReadError(
        f"there is no piece in {source.label} that `{representation.name}` can have{reason}{detail}", FIX_HINT
    )


def is_other(source: Source, representation: Representation) -> bool:
    """True for music that the representation does not read itself: by what it holds, else by its suffix."""
    scored = type(representation).from_score is not Representation.from_score
    suffix = (music_suffix(source) if scored else "") or source.path.suffix.lower()
    return suffix in suffixes() - set(representation.suffixes)


def _scores_by_representation(source: Source) -> Iterator[Score]:
    """The scores that the first representation makes of `source` that makes any."""
    suffix = Path(source.path).suffix.lower()
    for loaded in registry.load_all():
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
