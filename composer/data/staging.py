"""Stage a corpus: read its pieces once, split them, and keep them on disk until they are encoded.

So memory does not depend on the number of pieces. Reading the sources a second time instead would take as long again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

from composer.api import Piece, ReadError, Representation, Source
from composer.data.copies import copy_key
from composer.data.corpus import CorpusReader, Progress, Rejections
from composer.data.piece_format import from_line, to_line
from composer.data.sources import sources, stdin
from composer.data.splits import SplitAssigner, SplitSettings, piece_count, piece_numbers
from composer.music.contour import Contour, NamedMelody, melody_of
from composer.system.cache_dir import check_room, reporting_write_errors

FIRST_ESTIMATE_BYTES = 1 << 20
"""Once pieces of so many bytes are staged, estimate for the first time whether all will fit on the disk."""


class CorpusFiles:
    """The sources of each split, as often as they are needed; "" is for those that are not named for any split."""

    def __init__(self, arguments: Sequence[str], settings: SplitSettings, suffixes: Sequence[str]) -> None:
        self.named: Mapping[str, Sequence[str]] = {"": arguments, **settings.named_files}
        self._suffixes = suffixes
        self._read_stdin = cache(stdin)  # it cannot be read twice

    @property
    def splits(self) -> list[str]:
        """The splits in the order in which they are read: those with named files first, which win over copies."""
        return sorted(self.named, reverse=True)

    def sources_of(self, split: str) -> Iterator[Source | ReadError]:
        """Yield the sources of one split."""
        return sources(self.named[split], self._suffixes, self._read_stdin)


class PieceFile:
    """Pieces with their melodies in a file, by number.

    A piece that is not data, since its content may be anything, stays in memory.
    """

    def __init__(self, path: Path) -> None:
        """Open a new file. Raises OSError. Close it before reading pieces."""
        self._path = path
        self._file = path.open("wb")
        self._ends = array("Q", [0])
        self._in_memory: dict[int, tuple[Piece, NamedMelody | None]] = {}

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def size(self) -> int:
        """The number of bytes written so far."""
        return self._ends[-1]

    def append(self, piece: Piece, melody: NamedMelody | None = None) -> None:
        """Add a piece and its melody. Raises OSError."""
        data = b""
        try:
            data = to_line((piece, melody and (melody.title, melody.source, melody.notes.to_bytes())))
        except Exception:  # it may run the code of the content's class
            self._in_memory[len(self)] = piece, melody
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def close(self) -> None:
        """Finish writing. Raises OSError."""
        self._file.close()

    def remove(self) -> None:
        """Close and remove the file."""
        with suppress(OSError):  # of a full disk, which has been reported
            self.close()
        self._path.unlink(missing_ok=True)

    def pieces(self, numbers: Iterable[int]) -> Iterator[Piece]:
        """Yield the pieces with these numbers."""
        return (piece for piece, _ in self.with_melodies(numbers))

    def with_melodies(self, numbers: Iterable[int]) -> Iterator[tuple[Piece, NamedMelody | None]]:
        """Yield the pieces with these numbers, and their melodies."""
        with self._path.open("rb") as file:
            for number in numbers:
                if number in self._in_memory:
                    yield self._in_memory[number]
                    continue
                begin, end = self._ends[number], self._ends[number + 1]
                if file.tell() != begin:
                    file.seek(begin)
                piece, melody = from_line(file.read(end - begin))
                yield piece, melody and NamedMelody(melody[0], melody[1], Contour.from_bytes(melody[2]))


class StagedCorpus:
    """Pieces in a file, each assigned to a split by `assigner`; `rejected` and `unreadable` are as in Corpus."""

    def __init__(self, file: PieceFile, settings: SplitSettings) -> None:
        """Begin with no pieces. Raises ReadError for a bad list."""
        self._file = file
        self.assigner = SplitAssigner(settings)
        self.rejected, self.unreadable = Rejections(), list[str]()
        self._copy_keys = array("Q")

    def read(
        self, representation: Representation, files: CorpusFiles, size: int, folder: Path, progress: Progress | None
    ) -> None:
        """Read all `files`, of about `size` bytes, to be encoded in `folder`.

        Raises ReadError if there is no training data, and ComposerError if the disk is too small.
        """
        readers = {}
        estimator = _SizeEstimator(size)
        for split in files.splits:
            found = estimator.counted(files.sources_of(split))
            readers[split] = CorpusReader(representation, files.named[split], found, progress)
            for piece in readers[split]:
                if not self.assigner.assign(piece, split):
                    continue
                score = representation.score(piece)
                melody = melody_of(piece, score)
                self._copy_keys.append(copy_key(piece, score, melody.notes if melody else None))
                with reporting_write_errors(folder):
                    self._file.append(piece, melody)
                if self._file.size > estimator.next_estimate:
                    check_room(folder, estimator.estimate(self._file.size) - self._file.size)
        with reporting_write_errors(folder):
            self._file.close()
        self.assigner.finish(self._copy_keys)
        for split in files.named:
            self.rejected.merge(readers[split].rejected)
            self.unreadable += readers[split].unreadable

    def count(self, split: str) -> int:
        """Return the number of pieces in a split."""
        return piece_count(self.assigner.codes, split)

    def pieces(self, split: str) -> Iterator[Piece]:
        """Yield the pieces of a split in the order they were read."""
        return (piece for piece, _ in self.with_melodies(split))

    def with_melodies(self, split: str, indices: range | None = None) -> Iterator[tuple[Piece, NamedMelody | None]]:
        """Yield the pieces of a split and their melodies in the order they were read, or only those at `indices`."""
        numbers = piece_numbers(self.assigner.codes, split)
        if indices is not None:
            numbers = islice(numbers, indices.start, indices.stop, indices.step)
        return self._file.with_melodies(numbers)


class _SizeEstimator:
    """Estimate from the share of the sources that has been read how many bytes all pieces will take."""

    def __init__(self, size: int) -> None:
        self._size, self._done = size, 0
        self.next_estimate = FIRST_ESTIMATE_BYTES

    def counted(self, found: Iterator[Source | ReadError]) -> Iterator[Source | ReadError]:
        """Yield from `found`, counting the bytes."""
        for source in found:
            with suppress(ReadError):
                if isinstance(source, Source):
                    self._done += source.size()
            yield source

    def estimate(self, written: int) -> float:
        """Return the estimate when `written` bytes are staged, and set the next one to twice as many."""
        self.next_estimate = 2 * written
        return written * max(1.0, self._size / max(1, self._done))
