"""Reading sources one after the other: here while that is quick, in worker processes once it has taken long.

Either way the outcomes are the same, in the same order. What is slow is staff notation, at 100 ms a file, and thousands
of tunes of ABC; MIDI is read before a worker would have started.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from itertools import chain, islice
from typing import NamedTuple

from composer.api import Piece, ReadError, Refused, Representation, Source

PATIENCE = 3.0
"""Seconds of reading after which workers take over."""


class Outcome(NamedTuple):
    """What reading one source gave: its pieces as far as they could be read, and what was wrong where not all could."""

    items: tuple[Piece | Refused, ...] = ()
    error: ReadError | None = None


def outcomes(representation: Representation, found: Iterable[Source | ReadError]) -> Generator[Outcome]:
    """The outcome of each source of `found`, in order. It owns processes: close it where it is not used up."""
    remaining = iter(found)
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE:
        source = next(remaining, None)
        if source is None:
            return
        yield outcome(representation, source)
    ahead = list(islice(remaining, 2))
    remaining = chain(ahead, remaining)
    if len(ahead) > 1:
        from composer.core import workers

        yield from workers.outcomes(representation, remaining)
    else:
        yield from (outcome(representation, source) for source in remaining)


def outcome(representation: Representation, source: Source | ReadError) -> Outcome:
    """What reading `source` gives."""
    if isinstance(source, ReadError):
        return Outcome(error=source)
    items: list[Piece | Refused] = []
    try:
        items.extend(representation.read(source))
    except ReadError as error:
        return Outcome(tuple(items), error)
    except Exception as error:  # a reader that breaks on one strange file must not lose a thousand good ones
        return Outcome(tuple(items), ReadError(f"{source.label}: {type(error).__name__}: {error}"))
    return Outcome(tuple(items))
