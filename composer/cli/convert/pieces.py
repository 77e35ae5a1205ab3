"""Read a source as scores, in whatever format, each with its provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import NamedTuple

from composer.api import ReadError, RejectedPiece, Representation, Score, Source
from composer.formats import Format, detect, format_of, provenance
from composer.formats.provenance import Provenance
from composer.formats.read import empty_error, music_suffixes, no_music_error
from composer.registry import plugins as registry

DAMAGED_PROVENANCE = "damaged provenance left out"


class FoundPiece(NamedTuple):
    """One piece of a source: its `name` for messages, its score or why there is none, and its provenance if any."""

    name: str
    score: Score | RejectedPiece
    made_by: Provenance | None = None
    notation: bytes = b""
    """The file, if it is MusicXML, whose voices a score does not tell apart."""


def notation_of(found: Format) -> type[Representation] | None:
    """Return the representation that has a format such as `tokens` for its own, and is music; None if there is none."""
    base, own = Representation, []
    for loaded in registry.load_all():
        kind = loaded.representation
        if kind is None or kind.native != found.name:
            continue
        if kind.score is not base.score and kind.from_score is not base.from_score:
            own.append((not registry.is_built_in(loaded.plugin), kind.name, kind))
    return min(own, key=lambda each: each[:2])[2] if own else None


def is_read(found: Format) -> bool:
    """Return whether music can be read from a format."""
    return found.read is not None or notation_of(found) is not None


def suffixes(chosen: Format | None) -> Sequence[str]:
    """Return the suffixes of the files to convert in a folder: those of the `chosen` format, else of all music."""
    return (*chosen.suffixes, *chosen.read_suffixes) if chosen is not None else music_suffixes()


def read_pieces(source: Source, chosen: Format | None = None) -> tuple[int, Iterator[FoundPiece]]:
    """Return how many pieces `source` seems to have, and the pieces, read as the `chosen` format.

    By default, the content decides, or for tokens and the like the suffix. Raises ReadError, also later while reading.
    """
    source = replace(source, data=source.bytes())
    if not source.bytes().strip():
        raise empty_error(source)
    found = chosen or detect(source.bytes()) or _notation_by_suffix(source)
    if found is None:
        raise no_music_error(source)
    if found.read is not None:
        marks = provenance.texts_of_pieces(source, found)
        named = found.read(source)
        more = found.unscored(source) if found.unscored is not None else iter(())
        both = zip(named, chain(marks, repeat("")), chain(more, repeat({})), strict=False)
        notation = source.bytes() if found.name == "musicxml" else b""
        pieces = (_marked(name, _with_losses(score, lost), mark) for (name, score), mark, lost in both)
        return len(marks), (piece._replace(notation=notation) for piece in pieces)
    kind = notation_of(found)
    if kind is None:
        raise ReadError(f"{source.label} holds {found.summary}, not music", "use ABC, MIDI, MusicXML or tokens")
    return 2, _read_notation(kind(), replace(source, path=source.path.with_suffix(found.suffixes[0])))


def _notation_by_suffix(source: Source) -> Format | None:
    """Return the format of the suffix if only representations read it, so that its content cannot be recognized."""
    found = format_of(source.path)
    return found if found is not None and found.read is None else None


def _marked(name: str, score: Score | RejectedPiece, mark: str) -> FoundPiece:
    if not mark or isinstance(score, RejectedPiece):
        return FoundPiece(name, score)
    try:
        return FoundPiece(name, score, Provenance.parse(mark, name))
    except ReadError:
        return FoundPiece(name, replace(score, losses={**score.losses, DAMAGED_PROVENANCE: 1}))


def _read_notation(representation: Representation, source: Source) -> Iterator[FoundPiece]:
    for item in representation.read(source):
        if isinstance(item, RejectedPiece):
            yield FoundPiece(item.source, item)
            continue
        score = representation.score(item)
        name = item.source or source.label
        found = _with_losses(score, item.losses) if score else RejectedPiece("no music", name)
        yield FoundPiece(name, found)


def _with_losses(score: Score | RejectedPiece, losses: Mapping[str, int]) -> Score | RejectedPiece:
    return replace(score, losses={**score.losses, **losses}) if losses and isinstance(score, Score) else score
