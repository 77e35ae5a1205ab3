"""Read a source as scores, or as pieces of a representation, whatever its format."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source
from composer.data.corpus import NoMatchingFiles
from composer.formats import FORMATS
from composer.formats.read import is_music, music_suffix, music_suffixes, no_music_error, read_playable
from composer.registry import plugins as registry

FIX_HINT = "fix it, or use another file"


def playable_scores(source: Source, skipped: list[RejectedPiece] | None = None) -> Iterator[Score]:
    """Yield the pieces of `source` as scores: by its content, else by the representations that read its suffix.

    Pieces of music that are rejected are added to `skipped`. Raises ReadError if there is no music in it.
    """
    if is_music(source):
        yield from read_playable(source, skipped)
        return
    found = False
    for score in _scores_by_representation(source):
        found = True
        yield score
    if not found:
        raise no_music_error(source)


def suffixes() -> set[str]:
    """Return the suffixes that any representation reads."""
    return {suffix for kind in _representations() for suffix in kind.suffixes} | set(music_suffixes())


def hint_other_representation(error: NoMatchingFiles, command: str, files: Sequence[str]) -> ReadError:
    """Return `error` with the `command` (`composer train`) for a representation that reads the files found instead.

    Of several, that which reads the most of them is the best guess, then that which is in their notation, and then that
    which is made for the fewest kinds of files.
    """

    def count(suffixes: Iterable[str]) -> int:
        return sum(error.found[suffix] for suffix in suffixes)

    readable = {
        kind.name: (
            count(kind.suffixes),
            count(FORMATS[kind.native].suffixes) if kind.native in FORMATS else 0,
            -len(kind.suffixes),
        )
        for kind in _representations()
    }
    best = max(readable, key=lambda name: readable[name])
    if readable[best][0]:
        return ReadError(error.message, f"{command} {best} {shlex.join(files)}")
    return error


def pieces(
    source: Source,
    representation: Representation,
    from_score: Callable[[Score], Piece] | None = None,
    no_pieces: Callable[[Source, Representation, RejectedPiece | None], ReadError] | None = None,
    skipped: list[RejectedPiece] | None = None,
) -> Iterator[Piece]:
    """Yield the pieces of `source`: as `representation` reads them, or from scores if it does not read the format.

    `from_score` makes a piece from a score, by default a whole piece. Pieces that are rejected are added to `skipped`.
    Raises ReadError if there is none left, or the error that `no_pieces` returns for the first that was rejected;
    EncodeError for a score that cannot be represented.
    """
    if is_other(source, representation):
        yield from map(from_score or representation.from_score, playable_scores(source, skipped))
        return
    rejected, found = None, False
    for item in representation.read(source):
        if isinstance(item, Piece):
            found = True
            yield item
        else:
            rejected = rejected or item
            if skipped is not None:
                skipped.append(item)
    if not found:
        raise (no_pieces or _no_pieces_error)(source, representation, rejected)


def _no_pieces_error(source: Source, representation: Representation, rejected: RejectedPiece | None) -> ReadError:
    if rejected is None:
        return no_music_error(source)
    reason = f": {rejected.reason}"
    detail = f" ({rejected.detail})" if rejected.detail else ""
    message = f"no piece in {source.label} that `{representation.name}` can represent{reason}{detail}"
    return ReadError(message, rejected.hint or FIX_HINT)


def is_other(source: Source, representation: Representation) -> bool:
    """Whether `source` is music in a format that the representation does not read, by its content, else its suffix."""
    scored = type(representation).from_score is not Representation.from_score
    suffix = (music_suffix(source) if scored else "") or source.path.suffix.lower()
    return suffix in suffixes() - set(representation.suffixes)


def _scores_by_representation(source: Source) -> Iterator[Score]:
    """Yield the scores of `source` by the first representation that finds any."""
    suffix = source.path.suffix.lower()
    for kind in _representations():
        if suffix not in kind.suffixes:
            continue
        representation = kind()
        found = False
        for item in representation.read(replace(source, fragment=False)):  # a fragment may be any text
            score = representation.score(item) if isinstance(item, Piece) else None
            if score is not None:
                found = True
                yield score
        if found:
            return


def _representations() -> Iterator[type[Representation]]:
    return (loaded.representation for loaded in registry.load_all() if loaded.representation is not None)
