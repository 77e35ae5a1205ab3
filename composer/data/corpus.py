"""Read a corpus: all usable pieces, and a count of what was rejected and why.

One bad file among thousands is counted, named and skipped. Only a corpus without a single piece is an error.
"""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from composer.api import Piece, ReadError, RejectedPiece, Representation, Source
from composer.data.parallel_reading import read_sources
from composer.data.sources import sources, suffixes_in
from composer.formats.read import suffixes_of

MAX_EXAMPLES = 3
"""Number of places that are remembered for each reason."""
MAX_OTHER_REASONS = 8

Progress = Callable[[int, int], object]
"""Called after each source with the number of sources and of pieces so far."""


@dataclass(slots=True)
class Rejections:
    """Rejected pieces: the number for each reason, and where the first of them are."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, rejected: RejectedPiece) -> None:
        """Count one more."""
        self.counts[rejected.reason] = self.counts.get(rejected.reason, 0) + 1
        places = self.places.setdefault(rejected.reason, [])
        if len(places) < MAX_EXAMPLES:
            places.append(f"{rejected.source}: {rejected.detail}" if rejected.detail else rejected.source)

    def merge(self, other: Rejections) -> None:
        """Add the counts and places of `other`."""
        for reason, count in other.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
            self.places[reason] = [*self.places.get(reason, []), *other.places[reason]][:MAX_EXAMPLES]

    @property
    def total(self) -> int:
        """Number of rejected pieces."""
        return sum(self.counts.values())

    def most_common(self) -> str:
        """Return the most frequent reason with an example, as a phrase; empty if nothing was rejected."""
        if not self.counts:
            return ""
        reason = max(self.counts, key=lambda reason: self.counts[reason])
        return f"{self.counts[reason]} skipped: {reason} ({self.places[reason][0]})"

    def others(self) -> str:
        """Return the next most frequent reasons as a phrase; empty if there is at most one."""
        reasons = sorted(self.counts, key=lambda reason: -self.counts[reason])[1 : 1 + MAX_OTHER_REASONS]
        return ", ".join(f"{self.counts[reason]} skipped: {reason}" for reason in reasons)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All pieces in order, what was `rejected`, and a line for each source that is `unreadable`."""

    pieces: tuple[Piece, ...]
    rejected: Rejections
    unreadable: tuple[str, ...]


class NoMatchingFiles(ReadError):
    """The folders hold nothing that the representation reads; `found` counts the suffixes of their other files."""

    def __init__(self, message: str, hint: str, found: Counter[str]) -> None:
        super().__init__(message, hint)
        self.found = found


class CorpusReader:
    """Yield the pieces of `arguments`, or of the sources in `found`, as they are read.

    Afterward, `rejected` and `unreadable` are as in Corpus. Raises ReadError if an argument names nothing or, at the
    end, if there was no piece.
    """

    def __init__(
        self, representation: Representation, arguments: Sequence[str],
        found: Iterable[Source | ReadError] | None = None, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self._representation, self._arguments, self._progress = representation, arguments, progress
        self._sources = sources(arguments, suffixes_of(representation)) if found is None else found
        self._errors: list[ReadError] = []
        self.rejected = Rejections()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A line for each source that cannot be read."""
        return tuple(error.message for error in self._errors)

    def __iter__(self) -> Iterator[Piece]:
        done = pieces = 0
        with closing(read_sources(self._representation, self._sources)) as results:
            for result in results:
                for item in result.items:
                    if isinstance(item, RejectedPiece):
                        self.rejected.add(item)
                    else:
                        pieces += 1
                        yield item
                if result.error is not None:
                    self._errors.append(result.error)
                done += result.last
                if self._progress is not None and result.last:
                    self._progress(done, pieces)
        if not pieces:
            raise _no_pieces_error(self._representation, self._arguments, self.rejected, self._errors)


def read(
    representation: Representation, arguments: Sequence[str], found: Iterable[Source | ReadError] | None = None,
    progress: Progress | None = None,
) -> Corpus:  # fmt: skip
    """Read all pieces into memory, with the parameters and errors of CorpusReader."""
    reader = CorpusReader(representation, arguments, found, progress)
    return Corpus(tuple(reader), reader.rejected, reader.unreadable)


def content_digest(piece: Piece) -> bytes:
    """Return a digest (16 bytes) of a piece's content that does not depend on the machine or the order of files.

    It is of `content.canonical_bytes()` if there is such a method, else of the content as plain data.
    """
    content: Any = piece.content
    digest = hashlib.blake2b(digest_size=16)
    if hasattr(content, "canonical_bytes"):
        digest.update(content.canonical_bytes())
    else:
        _feed(digest.update, content)
    return digest.digest()


def _no_pieces_error(
    representation: Representation, arguments: Sequence[str], rejected: Rejections, unreadable: Sequence[ReadError]
) -> ReadError:
    named = ", ".join(arguments[:3]) + (" and others" if len(arguments) > 3 else "")
    if rejected.total:
        reasons = "; ".join(filter(None, [rejected.most_common(), rejected.others()]))
        hint = f"see `composer check {shlex.join(arguments)}` and `composer plugins {representation.name}`"
        return ReadError(f"no usable pieces in {named}; {reasons}", hint)
    if unreadable:
        several = f"cannot read any of {len(unreadable)} files; the first: " if len(unreadable) > 1 else ""
        return ReadError(several + unreadable[0].message, unreadable[0].hint or "name other files")
    found = suffixes_in(arguments)
    bare = found.pop("", 0)
    counts = ", ".join(f"{n:,} {suffix}" for suffix, n in found.most_common(3)) + " file" + "s" * (found.total() > 1)
    counts = ", ".join([counts] * bool(found) + [f"{bare:,} without suffix"] * bool(bare))
    *suffixes, last = suffixes_of(representation)
    message = f"no {', '.join(suffixes)}{' or ' * bool(suffixes)}{last} files in {named}"
    hint = "to read files with other suffixes, name each file" if counts else "name other files or folders"
    return NoMatchingFiles(f"{message} (found {counts})" if counts else message, hint, found)


def _feed(update: Callable[[bytes], object], value: Any) -> None:
    """Write plain data so that equal values, and only they, give equal bytes; sets have no order."""
    if isinstance(value, tuple | list | frozenset | set):
        ordered = isinstance(value, tuple | list)
        update(b"%c%d:" % (b"t" if ordered else b"f", len(value)))
        for item in value if ordered else sorted(value, key=repr):
            _feed(update, item)
    elif isinstance(value, Mapping):
        _feed(update, tuple(sorted(value.items(), key=repr)))
    elif is_dataclass(value) and not isinstance(value, type):
        _feed(update, (type(value).__name__, *(getattr(value, each.name) for each in fields(value))))
    else:
        is_text = isinstance(value, str)
        data = value.encode("utf-8", "surrogatepass") if is_text else repr(value).encode()
        update(b"%c%d:" % (b"s" if is_text else b"r", len(data)))
        update(data)
