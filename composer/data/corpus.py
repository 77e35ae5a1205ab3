"""Reading a corpus: every piece that can be used, and a count of what could not.

One bad file among thousands is counted, named and passed over. Only a corpus without a single piece is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from composer.api import Piece, ReadError, RejectedPiece, Representation, Source
from composer.data.source_reader import Outcome, outcomes
from composer.data.sources import sources

__all__ = ["Corpus", "Refusals", "Stream", "identity", "read", "sources"]

Reading = Callable[[Representation, Iterator[Source | ReadError]], Generator[Outcome]]
"""What gives the outcomes of each of some sources, in order."""

EXAMPLES = 3
"""How many places are remembered for each reason of refusal."""
OTHERS = 8
"""How many reasons of refusal are told beside the commonest."""


@dataclass(slots=True)
class Refusals:
    """Pieces that were left out: how many for each reason, and the first places of each."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, refused: RejectedPiece) -> None:
        """Count one more."""
        self.counts[refused.reason] = self.counts.get(refused.reason, 0) + 1
        places = self.places.setdefault(refused.reason, [])
        if len(places) < EXAMPLES:
            places.append(f"{refused.source}: {refused.detail}" if refused.detail else refused.source)

    def merge(self, other: Refusals) -> None:
        """Count all of `other` too."""
        for reason, count in other.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
            self.places[reason] = [*self.places.get(reason, []), *other.places[reason]][:EXAMPLES]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def commonest(self) -> str:
        """The most frequent reason and a place, as a phrase; empty where nothing was refused."""
        if not self.counts:
            return ""
        reason = max(self.counts, key=lambda reason: self.counts[reason])
        return f"{self.counts[reason]} refused because {reason} ({self.places[reason][0]})"

    def others(self) -> str:
        """The next most frequent reasons, as a phrase; empty where there is one at most."""
        reasons = sorted(self.counts, key=lambda reason: -self.counts[reason])[1 : 1 + OTHERS]
        return ", ".join(f"{self.counts[reason]} because {reason}" for reason in reasons)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was read: `pieces` in order, what was `refused`, and a line for each source that is `unreadable`."""

    pieces: tuple[Piece, ...]
    refused: Refusals
    unreadable: tuple[str, ...]


class Stream:
    """The pieces that `arguments` name (or `found`, where they are open already), one by one as they are read.

    Once they have been gone through, `refused` and `unreadable` are as in Corpus. `progress` is called after each
    source with the number of sources and of pieces so far. Raises ReadError where an argument names nothing and, at
    the end, where there was no piece that can be used.
    """

    def __init__(
        self,
        representation: Representation,
        arguments: Sequence[str],
        found: Iterable[Source | ReadError] | None = None,
        progress: Callable[[int, int], object] | None = None,
        read: Reading = outcomes,
    ) -> None:
        """`read` is how sources are read."""
        self._representation, self._arguments, self._progress = representation, arguments, progress
        self._read = read
        self._found = sources(arguments, representation.suffixes) if found is None else found
        self._errors: list[ReadError] = []
        self.refused = Refusals()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A line for each source that cannot be read."""
        return tuple(error.message for error in self._errors)

    def __iter__(self) -> Iterator[Piece]:
        done = pieces = 0
        with closing(self._read(self._representation, iter(self._found))) as reading:
            for outcome in reading:
                for item in outcome.items:
                    if isinstance(item, RejectedPiece):
                        self.refused.add(item)
                    else:
                        pieces += 1
                        yield item
                if outcome.error is not None:
                    self._errors.append(outcome.error)
                done += outcome.last
                if self._progress is not None and outcome.last:
                    self._progress(done, pieces)
        if not pieces:
            raise _nothing(self._representation, self._arguments, self.refused, self._errors)


def read(
    representation: Representation,
    arguments: Sequence[str],
    found: Iterable[Source | ReadError] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Corpus:
    """Read all pieces into memory; as Stream, at whose end it stands."""
    stream = Stream(representation, arguments, found, progress)
    pieces = tuple(stream)
    return Corpus(pieces, stream.refused, stream.unreadable)


def identity(piece: Piece) -> bytes:
    """A digest (16 bytes) of a piece's content, the same on every machine and in every order of files.

    Content that has a method `identity` says with it what it is; other content is digested as the plain data it is.
    """
    content: Any = piece.content
    digest = hashlib.blake2b(digest_size=16)
    if hasattr(content, "canonical_bytes"):
        digest.update(content.canonical_bytes())
    else:
        _feed(digest.update, content)
    return digest.digest()


def _nothing(
    representation: Representation, arguments: Sequence[str], refused: Refusals, unreadable: Sequence[ReadError]
) -> ReadError:
    named = ", ".join(arguments[:3]) + (" and others" if len(arguments) > 3 else "")
    suffixes = " ".join(representation.suffixes)
    if refused.total:
        return ReadError(
            f"no piece in {named} can be used: {refused.commonest()}",
            f"`{representation.name}` left all out" + (f", {refused.others()}" if refused.others() else ""),
        )
    if unreadable:
        return ReadError(
            f"nothing in {named} can be read: {unreadable[0].message}",
            unreadable[0].hint or f"`{representation.name}` reads {suffixes}",
        )
    return ReadError(f"there is no piece in {named}", f"`{representation.name}` reads {suffixes}")


def _feed(update: Callable[[bytes], object], value: Any) -> None:
    """Write plain data so that equal values, and only they, give equal bytes; sets have no order."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        update(b"s%d:" % len(data))
        update(data)
    elif isinstance(value, tuple | list):
        update(b"t%d:" % len(value))
        for item in value:
            _feed(update, item)
    elif isinstance(value, frozenset | set):
        update(b"f%d:" % len(value))
        for item in sorted(value, key=repr):
            _feed(update, item)
    elif isinstance(value, Mapping):
        _feed(update, tuple(sorted(value.items(), key=repr)))
    elif is_dataclass(value) and not isinstance(value, type):
        _feed(update, (type(value).__name__, *(getattr(value, each.name) for each in fields(value))))
    else:
        data = repr(value).encode()
        update(b"r%d:" % len(data))
        update(data)
