"""Reading sources one after the other: here while that is quick, in worker processes once it has taken long.

Either way the pieces are the same, in the same order. What is slow is staff notation, at 100 ms a file, and thousands
of tunes of ABC; MIDI is read before a worker would have started.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from composer.api import Piece, ReadError, RejectedPiece, Representation, Source

PATIENCE = 3.0
"""Seconds of reading after which workers take over."""


SHEET = 100
"""No more pieces than this are handed on at a time, so that a source of any number of them takes little memory."""


class Outcome(NamedTuple):
    """What reading some of a source gave, and whether that was the `last` of it.

    `items` are its pieces as far as they could be read; the last outcome says what was wrong where not all could.
    """

    items: tuple[Piece | RejectedPiece, ...] = ()
    error: ReadError | None = None
    last: bool = True


def outcomes(representation: Representation, found: Iterable[Source | ReadError]) -> Generator[Outcome]:
    """The outcomes of each source of `found`, in order. It owns processes: close it where it is not used up."""
    remaining = iter(found)
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE:
        source = next(remaining, None)
        if source is None:
            return
        yield from read(representation, source)
    ahead = list(islice(remaining, 2))
    remaining = chain(ahead, remaining)
    if len(ahead) > 1:
        from composer.data import worker_pool

        yield from worker_pool.outcomes(representation, remaining)
    else:
        for source in remaining:
            yield from read(representation, source)


def read(representation: Representation, source: Source | ReadError) -> Iterator[Outcome]:
    """What reading `source` gives, at most SHEET pieces at a time."""
    if isinstance(source, ReadError):
        yield Outcome(error=source)
        return
    items: list[Piece | RejectedPiece] = []
    error = None
    each = _items(representation, source)
    while True:
        try:
            item = next(each, None)
        except ReadError as caught:
            item, error = None, caught
        except Exception as caught:  # a reader that breaks on one strange file must not lose a thousand good ones
            item, error = None, ReadError(f"{source.label}: {type(caught).__name__}: {caught}")
        if item is None:
            yield Outcome(tuple(items), error)
            return
        if len(items) == SHEET:
            yield Outcome(tuple(items), last=False)
            items.clear()
        items.append(item)


def _items(representation: Representation, source: Source) -> Iterator[Piece | RejectedPiece]:
    """All that `representation` reads, a generator even where its method is a plain function that raises."""
    yield from representation.read(source)
