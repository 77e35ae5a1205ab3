"""All pieces of a corpus, read once, divided, and put on the disk until they are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from composer.api import Piece, ReadError, Representation, Source
from composer.core.cache import check_room, keeping
from composer.core.corpus import Refusals, Stream
from composer.core.sources import sources, stdin
from composer.core.spill import Spill
from composer.core.split import Division, Split

FIRST_LOOK = 1 << 20
"""Once pieces of so many bytes were read, it is first estimated whether the disk has room for all."""


class Files:
    """The sources of each part, as often as they are asked for; those of no part in particular are those of ""."""

    def __init__(self, arguments: Sequence[str], split: Split, suffixes: Sequence[str]) -> None:
        self.named: Mapping[str, Sequence[str]] = {"": arguments, **split.files}
        self._suffixes = suffixes
        self._typed = cache(stdin)  # it cannot be read a second time

    def of(self, part: str) -> Iterator[Source | ReadError]:
        """Those of one part, as `corpus.sources` gives them."""
        return sources(self.named[part], self._suffixes, self._typed)


class Collected:
    """Pieces on the disk: by `part`, in the order they came. `refused` and `unreadable` are as in Corpus.

    `division` has decided on all of them. Call `drop` in the end.
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
    ) -> None:
        """Read all `files`, of about `size` bytes, for the encoding that `folder` is to be.

        Raises ReadError where there is nothing to learn from, and ComposerError where the disk has too little room.
        """
        streams = {}
        meter = _Meter(size)
        for part in sorted(files.named, reverse=True):  # a piece that a named part has is left out of the others
            found = meter.counting(files.of(part))
            streams[part] = Stream(representation, files.named[part], found, progress)
            for piece in streams[part]:
                if not self.division.takes(piece, part):
                    continue
                with keeping(folder):
                    self._spill.append(piece)
                if self._spill.size > meter.look_at:
                    check_room(folder, meter.estimate(self._spill.size) - self._spill.size)
        with keeping(folder):
            self._spill.close()
        self.division.settle()
        for part in files.named:
            self.refused.merge(streams[part].refused)
            self.unreadable += streams[part].unreadable

    def part(self, part: str, only: int = 0) -> Iterator[Piece]:
        """The pieces of a part or, where fewer are wanted, `only` so many from all over it."""
        numbers = self.division.numbers(part)
        count = self.division.count(part)
        if 0 < only < count:
            numbers = (number for place, number in enumerate(numbers) if place * only % count < only)
        return self._spill.pieces(numbers)

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
