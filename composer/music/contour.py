"""Melodies as they are recognised: by their intervals and rhythm, in whatever key and note values they stand.

A note is told by two small numbers: the semitones from the note before, and how much longer or shorter the time since
that note is than the time before it, in twelfths of an octave (12 is twice as long). Rhythm is thus relative, as pitch
is: a reel written in eighths and the same reel in sixteenths are one melody, and a few notes of it are known again
wherever they stand, which a unit chosen for the tune as a whole would not give. A time runs from one note's onset to
the next one's, so that neither rests nor staccato matter.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.api import Piece, Representation, Score
from composer.music.bars import COMMON_TIME, bars
from composer.music.melody import top_line

__all__ = ["MOST_NOTES", "NONE", "Collecting", "Contour", "Melodies", "Tune", "contour", "melodies_of", "ratio"]

MOST_NOTES = 4_000_000
"""Of larger collections, the tunes that come first are kept: an index has a byte or less for a note."""

NONE = -128
"""Stands where a note has no interval, or no rhythm, since the tune has just begun. No other value is as low."""

_SLACK = 1e-6
"""Bars by which an onset may seem too early, as fractions are rounded."""

_FORMAT = 1
_BYTES_A_NOTE = 4
_MOST_BYTES = 1 << 28
"""More than any index has once it is unpacked."""


class Contour(NamedTuple):
    """A melody of n notes: `intervals` and `ratios` (n,) as this module tells them, `bars` the bar that each is in.

    The first note has no interval, the first two have no ratio.
    """

    intervals: NDArray[np.int8]
    ratios: NDArray[np.int8]
    bars: NDArray[np.uint16]

    def cut(self, part: slice) -> Contour:
        """The notes of a part of it."""
        return Contour(self.intervals[part], self.ratios[part], self.bars[part])


class Tune(NamedTuple):
    """Whose melody it is: a piece's title and source, and its number of notes."""

    title: str
    source: str
    notes: int

    @property
    def name(self) -> str:
        """The title; where there is none, the source."""
        return self.title or self.source


@dataclass(frozen=True, eq=False)
class Melodies:
    """The melodies of a collection, one after the other, and whose they are. `left_out` tunes had no room."""

    notes: Contour
    tunes: Sequence[Tune] = ()
    left_out: int = 0

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """Where each tune begins, and last, where all end."""
        return np.cumsum([0, *(tune.notes for tune in self.tunes)])

    def to_bytes(self) -> bytes:
        """All of it, packed. Parts that are played twice take no room the second time."""
        head = json.dumps({"format": _FORMAT, "tunes": self.tunes, "left_out": self.left_out}, ensure_ascii=False)
        arrays = (array.astype(array.dtype.newbyteorder("<")).tobytes() for array in self.notes)
        return zlib.compress(b"".join([head.encode("utf-8", "replace"), b"\n", *arrays]), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> Melodies:
        """What `to_bytes` packed. Raises ValueError for anything else."""
        try:
            head, _, notes = zlib.decompressobj().decompress(data, _MOST_BYTES).partition(b"\n")
            told = json.loads(head)
            tunes = [Tune(str(title), str(source), int(count)) for title, source, count in told["tunes"]]
            form, left_out, count = told["format"], int(told["left_out"]), sum(tune.notes for tune in tunes)
        except (zlib.error, ValueError, LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"damaged: {error}") from error
        if form != _FORMAT:
            raise ValueError(f"they are in format {form}, not {_FORMAT}")
        if len(notes) != _BYTES_A_NOTE * count or any(tune.notes < 1 for tune in tunes):
            raise ValueError("damaged: some of their notes are missing")
        small, bars = np.frombuffer(notes, np.int8, 2 * count), np.frombuffer(notes, "<u2", offset=2 * count)
        return cls(Contour(small[:count], small[count:], bars), tunes, left_out)

    @classmethod
    def joined(cls, parts: Iterable[Melodies]) -> Melodies:
        """Those of several collections, in order."""
        collecting = Collecting()
        for part in parts:
            for tune, notes in part:
                collecting.append(tune.title, tune.source, notes)
            collecting.left_out += part.left_out
        return collecting.melodies()

    def __iter__(self) -> Iterator[tuple[Tune, Contour]]:
        for tune, first in zip(self.tunes, self.firsts.tolist(), strict=False):
            yield tune, self.notes.cut(slice(first, first + tune.notes))


@dataclass(slots=True)
class Collecting:
    """Melodies while they are gathered, a tune at a time."""

    tunes: list[Tune] = field(default_factory=list)
    left_out: int = 0
    _notes: list[Contour] = field(default_factory=list)
    _count: int = 0

    def add(self, piece: Piece, representation: Representation) -> None:
        """Take the melody of `piece`, if it has one. Of its source, folders of this machine are left out."""
        if self._count == MOST_NOTES:
            self.left_out += 1
            return
        score = representation.score(piece)
        if score is not None and (notes := contour(score)) is not None:
            self.append(piece.title or score.title, _public(piece.source), notes)

    def append(self, title: str, source: str, notes: Contour) -> None:
        """Take a melody of that title and source."""
        count = len(notes.intervals)
        if self._count + count > MOST_NOTES:
            self._count = MOST_NOTES
            self.left_out += 1
            return
        self.tunes.append(Tune(title, source, count))
        self._notes.append(notes)
        self._count += count

    def melodies(self) -> Melodies:
        """All that were taken."""
        none = Contour(np.empty(0, np.int8), np.empty(0, np.int8), np.empty(0, np.uint16))
        columns = zip(*(self._notes or [none]), strict=True)
        return Melodies(Contour(*map(np.concatenate, columns)), self.tunes, self.left_out)


def melodies_of(pieces: Iterable[Piece], representation: Representation) -> Melodies:
    """The melodies of `pieces`; those that are no music have none."""
    collecting = Collecting()
    for piece in pieces:
        collecting.add(piece, representation)
    return collecting.melodies()


def contour(score: Score) -> Contour | None:
    """The melody of `score`, None where it is silent: the top line, in the order in which it is played."""
    line = top_line(score)
    if not line:
        return None
    onsets = [note.onset for note in line]
    intervals = np.full(len(line), NONE, np.int8)
    intervals[1:] = np.diff([note.pitch for note in line])
    ratios = np.full(len(line), NONE, np.int8)
    ratios[2:] = _rounded(np.diff(np.log2(np.diff(onsets))))
    return Contour(intervals, ratios, np.array(_bars(score, onsets), np.uint16))


def ratio(time: float, before: float) -> int:
    """How much longer than `before` a `time` is, in twelfths of an octave."""
    return int(_rounded(np.log2(time) - np.log2(before)))


def _rounded(octaves: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.round(12 * octaves), NONE + 1, -NONE - 1)


def _public(source: str) -> str:
    """The name of a piece's source in a file that leaves this machine: without the folders that it is in."""
    place, colon, rest = source.partition(": ")
    return source if source.startswith("corpus:") else place.replace("\\", "/").rpartition("/")[2] + colon + rest


def _bars(score: Score, onsets: Sequence[float]) -> Sequence[float]:
    """The number of the bar that each of `onsets` is in, as `formats.bars` counts them."""
    meter = score.meters[0] if score.meters else COMMON_TIME
    if len(score.meters) < 2 and meter.onset <= 0 < meter.bar:
        pickup = score.pickup if 0 < score.pickup < meter.bar else 0
        numbers = np.floor((np.array(onsets) - float(pickup)) / float(meter.bar) + _SLACK) + 1
        return list(np.minimum(numbers, 2**16 - 1))
    every = list(bars(score))
    starts = [float(bar.start) for bar in every]
    return [min(every[max(0, bisect_right(starts, onset) - 1)].number, 2**16 - 1) for onset in onsets]
