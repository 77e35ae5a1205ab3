"""Read one source into pieces, in chunks of limited size; whatever fails becomes an error that names the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from composer.api import Piece, PluginError, ReadError, RejectedPiece, Representation, Source

CHUNK = 100
"""Maximum number of pieces in a ReadResult, so that a source with any number of pieces takes little memory."""


class ReadResult(NamedTuple):
    """Some items of one source, in order; only its `last` result can have an `error`."""

    items: tuple[Piece | RejectedPiece, ...] = ()
    error: ReadError | None = None
    last: bool = True


def read_source(representation: Representation, source: Source | ReadError) -> Iterator[ReadResult]:
    """Yield what `representation` reads from `source`, at most CHUNK items at a time."""
    if isinstance(source, ReadError):
        yield ReadResult(error=source)
        return
    items: list[Piece | RejectedPiece] = []
    error = None
    remaining = _items(representation, source)
    while True:
        try:
            item = next(remaining, None)
        except ReadError as caught:
            item, error = None, caught
        except PluginError as caught:
            item, error = None, ReadError(f"{source.label}: {caught.message}", caught.hint)
        except Exception as caught:  # one strange file must not cost a thousand good ones
            item, error = None, ReadError(f"{source.label}: {type(caught).__name__}: {caught}")
        if item is None:
            yield ReadResult(tuple(items), error)
            return
        if len(items) == CHUNK:
            yield ReadResult(tuple(items), last=False)
            items.clear()
        items.append(item)


def _items(representation: Representation, source: Source) -> Iterator[Piece | RejectedPiece]:
    """Yield from `representation.read`, which may be a plain function that raises when called."""
    yield from representation.read(source)
