"""Pieces that wait on the disk: written as they are read, and gone through as often as fitting and encoding need.

So it does not matter to memory how many there are. Reading sources twice instead would cost as much as reading them.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from composer.api import Piece


class Spill:
    """Pieces in a file, by number, in the order they came. `ends` is where each ends, after the 0 at which they begin.

    A piece that cannot be written, since its content may be anything, stays in memory.
    """

    def __init__(self, path: Path) -> None:
        """A new file. Raises OSError. Close it before the pieces are gone through."""
        self._path = path
        self._file: BinaryIO | None = path.open("wb")
        self.ends = array("Q", [0])
        self._kept: dict[int, Piece] = {}

    @classmethod
    def written(cls, path: Path, ends: array[int]) -> Spill:
        """What another process has written to `path`, in which it has `ends`."""
        spill = cls.__new__(cls)
        spill._path, spill._file, spill.ends, spill._kept = path, None, ends, {}
        return spill

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def size(self) -> int:
        """The bytes written so far."""
        return self.ends[-1]

    @property
    def whole(self) -> bool:
        """Whether all pieces could be written."""
        return not self._kept

    def append(self, piece: Piece) -> None:
        """Add one more. Raises OSError where it cannot be written."""
        data = b""
        try:
            data = pickle.dumps(_parts(piece), pickle.HIGHEST_PROTOCOL)
        except Exception:  # pickling runs whatever code the content brings
            self._kept[len(self)] = piece
        assert self._file is not None
        self._file.write(data)
        self.ends.append(self.ends[-1] + len(data))

    def close(self) -> None:
        """No more pieces will come. Raises OSError where the last of them cannot be written."""
        if self._file is not None:
            self._file.close()

    def drop(self) -> None:
        """Close and remove the file, whatever became of it."""
        with suppress(OSError):  # a full disk has been told of already
            self.close()
        self._path.unlink(missing_ok=True)

    def pieces(self, numbers: Iterable[int]) -> Iterator[Piece]:
        """The pieces of these numbers."""
        with self._path.open("rb") as file:
            for number in numbers:
                if number in self._kept:
                    yield self._kept[number]
                    continue
                begin, end = self.ends[number], self.ends[number + 1]
                if file.tell() != begin:
                    file.seek(begin)
                yield _piece(pickle.loads(file.read(end - begin)))


def _parts(piece: Piece) -> object:
    """A plain tuple, which takes half as long as the piece itself; of another class, the piece."""
    if type(piece) is not Piece:
        return piece
    return piece.content, piece.title, piece.source, piece.labels, piece.losses


def _piece(parts: object) -> Piece:
    return parts if isinstance(parts, Piece) else Piece(*parts)  # type: ignore[misc]
