"""All pieces of a corpus, read once, divided, and put on the disk until they are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

from composer.api import Piece, ReadError, Representation, Source
from composer.data.corpus import Reading, Refusals, Stream
from composer.data.sources import sources, stdin
from composer.data.spill import Spill
from composer.data.splits import Division, Split, count, numbers
from composer.system.cache_dir import check_room, reporting_write_errors

FIRST_LOOK = 1 << 20
"""Once pieces of so many bytes were read, it is first estimated whether the disk has room for all."""


class Files:
    """The sources of each part, as often as they are asked for; those of no part in particular are those of ""."""

    def __init__(self, arguments: Sequence[str], split: Split, suffixes: Sequence[str]) -> None:
        self.named: Mapping[str, Sequence[str]] = {"": arguments, **split.files}
        self._suffixes = suffixes
        self._typed = cache(stdin)  # it cannot be read a second time

    @property
    def parts(self) -> list[str]:
        """The parts in the order in which they are read: what a named part has is left out of the others."""
        return sorted(self.named, reverse=True)

    def of(self, part: str) -> Iterator[Source | ReadError]:
        """Those of one part, as `corpus.sources` gives them."""
        return sources(self.named[part], self._suffixes, self._typed)


class Pieces:
    """Pieces on the disk, each in the part that its code says, as `Division` has it."""

    def __init__(self, spill: Spill, codes: bytearray) -> None:
        self.spill, self.codes = spill, codes

    def count(self, part: str) -> int:
        """How many a part has."""
        return count(self.codes, part)

    def part(self, part: str, within: range | None = None) -> Iterator[Piece]:
        """The pieces of a part, in the order they came, or those of them that stand at the places `within`."""
        found = numbers(self.codes, part)
        if within is not None:
            found = islice(found, within.start, within.stop, within.step)
        return self.spill.pieces(found)


class Collection:
    """A corpus while it is read: its pieces go to the disk, its `division` decides on each.

    `refused` and `unreadable` are as in Corpus. Call `drop` in the end.
    """

    def __init__(self, path: Path, split: Split) -> None:
        """Nothing yet; the pieces are kept in a new file at `path`. Raises ReadError for a bad list, and OSError."""
        self.division = Division(split)
        self.refused, self.unreadable = Refusals(), list[str]()
        self._spill = Spill(path)

    def collect(
        self,
        representation: Representation,
        files: Files,
        folder: Path,
        size: int,
        progress: Callable[[int, int], object] | None,
        reading: Callable[[str], Reading],
    ) -> Pieces:
        """Read all `files`, of about `size` bytes, for the encoding that `folder` is to be.

        `reading` gives the way in which the sources of a part are read. Raises ReadError where there is nothing to
        learn from, and ComposerError where the disk has too little room.
        """
        streams = {}
        meter = _Meter(size)
        for part in files.parts:
            found = meter.counting(files.of(part))
            streams[part] = Stream(representation, files.named[part], found, progress, reading(part))
            for piece in streams[part]:
                if not self.division.takes(piece, part):
                    continue
                with reporting_write_errors(folder):
                    self._spill.append(piece)
                if self._spill.size > meter.look_at:
                    check_room(folder, meter.estimate(self._spill.size) - self._spill.size)
        with reporting_write_errors(folder):
            self._spill.close()
        self.division.settle()
        for part in files.named:
            self.refused.merge(streams[part].refused)
            self.unreadable += streams[part].unreadable
        return Pieces(self._spill, self.division.codes)

    def drop(self) -> None:
        """Close and remove the file."""
        self._spill.drop()


class _Meter:
    """How much of the sources has been read, and what all of it will come to."""

    def __init__(self, size: int) -> None:
        self._size, self._done = size, 0
        self.look_at = FIRST_LOOK

    def counting(self, found: Iterator[Source | ReadError]) -> Iterator[Source | ReadError]:
        """`found` itself; their bytes are counted as they are asked for."""
        for source in found:
            with suppress(OSError):
                if isinstance(source, Source):
                    self._done += len(source.data) if source.data is not None else source.path.stat().st_size
            yield source

    def estimate(self, written: int) -> float:
        """What all sources will come to, where those so far came to `written` bytes; look again at twice as many."""
        self.look_at = 2 * written
        return written * max(1.0, self._size / max(1, self._done))
