"""Transposition- and tempo-invariant melodies, and collections of them.

Each note is two small numbers: the interval from the note before in semitones, and the ratio of the last two
inter-onset times in twelfths of an octave (12 is twice as long). Since rhythm is relative, a reel in eighths and the
same reel in sixteenths are one melody, and so is any excerpt. Times run from onset to onset, so neither rests nor
staccato matter.
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

MAX_NOTES = 4_000_000
"""Larger collections keep their first tunes only. An index takes at most a byte per note."""

NONE = -128
"""Marks a missing interval or ratio at the beginning of a tune; lower than any other value."""

_SLACK = 1e-6
"""Rounding tolerance of onsets, in bars."""

_FORMAT = 1
_BYTES_PER_NOTE = 4
_HEAD_BYTES = 1 << 18
_MAX_BYTES = 1 << 28
"""Larger than any unpacked index."""


class Contour(NamedTuple):
    """A melody of n notes: `intervals`, `ratios` and bar numbers, each (n,).

    The first note has no interval, the first two have no ratio: these are NONE.
    """

    intervals: NDArray[np.int8]
    ratios: NDArray[np.int8]
    bars: NDArray[np.uint16]

    def cut(self, part: slice) -> Contour:
        return Contour(self.intervals[part], self.ratios[part], self.bars[part])

    def to_bytes(self) -> bytes:
        """Return the three arrays as _BYTES_PER_NOTE * n bytes, little-endian."""
        return b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Contour:
        """Return the melody that `to_bytes` was called on. Raises ValueError if notes are incomplete."""
        count, rest = divmod(len(data), _BYTES_PER_NOTE)
        if rest:
            raise ValueError("damaged: notes are missing")
        small, bars = np.frombuffer(data, np.int8, 2 * count), np.frombuffer(data, "<u2", offset=2 * count)
        return cls(small[:count], small[count:], bars)


class NamedMelody(NamedTuple):
    """The title, source and notes of a melody."""

    title: str
    source: str
    notes: Contour


class MelodySource(NamedTuple):
    """The title and source of a melody, and its number of notes."""

    title: str
    source: str
    notes: int

    @property
    def name(self) -> str:
        """The title, else the source."""
        return self.title or self.source


@dataclass(frozen=True, eq=False)
class MelodyCollection:
    """The concatenated melodies of a collection and their sources; `left_out` counts tunes beyond MAX_NOTES."""

    notes: Contour
    tunes: Sequence[MelodySource] = ()
    left_out: int = 0

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The index of each tune's first note, then the total."""
        return np.cumsum([0, *(tune.notes for tune in self.tunes)])

    def to_bytes(self) -> bytes:
        """Serialize, compressed."""
        head = json.dumps({"format": _FORMAT, "tunes": self.tunes, "left_out": self.left_out}, ensure_ascii=False)
        return zlib.compress(b"".join([head.encode("utf-8", "replace"), b"\n", self.notes.to_bytes()]), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> MelodyCollection:
        """Deserialize. Raises ValueError for other data."""
        try:
            head, _, notes = zlib.decompressobj().decompress(data, _MAX_BYTES).partition(b"\n")
            facts = json.loads(head)
            tunes = [MelodySource(str(title), str(source), int(count)) for title, source, count in facts["tunes"]]
            version, left_out, count = facts["format"], int(facts["left_out"]), sum(tune.notes for tune in tunes)
        except (zlib.error, ValueError, LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"damaged: {error}") from error
        if version != _FORMAT:
            raise ValueError(f"format {version}, not {_FORMAT}")
        if len(notes) != _BYTES_PER_NOTE * count or any(tune.notes < 1 for tune in tunes):
            raise ValueError("damaged: notes are missing")
        return cls(Contour.from_bytes(notes), tunes, left_out)

    @staticmethod
    def titles_in(data: bytes) -> list[str]:
        """Return the titles in a serialized collection, without reading its notes. Raises ValueError for other data."""
        decompressor, head = zlib.decompressobj(), b""
        try:
            while b"\n" not in head and len(head) < _MAX_BYTES and not decompressor.eof:
                head += decompressor.decompress(data, _HEAD_BYTES)
                data = decompressor.unconsumed_tail
            return [str(title) for title, _, _ in json.loads(head.partition(b"\n")[0])["tunes"]]
        except (zlib.error, ValueError, LookupError, TypeError, RecursionError) as error:
            raise ValueError(f"damaged: {error}") from error

    @classmethod
    def joined(cls, parts: Iterable[MelodyCollection]) -> MelodyCollection:
        collector = MelodyCollector()
        for part in parts:
            for tune, notes in part:
                collector.append(tune.title, tune.source, notes)
            collector.left_out += part.left_out
        return collector.melodies()

    def __iter__(self) -> Iterator[tuple[MelodySource, Contour]]:
        for tune, first in zip(self.tunes, self.firsts.tolist(), strict=False):
            yield tune, self.notes.cut(slice(first, first + tune.notes))


@dataclass(slots=True)
class MelodyCollector:
    """Builds a MelodyCollection tune by tune."""

    tunes: list[MelodySource] = field(default_factory=list)
    left_out: int = 0
    _notes: list[Contour] = field(default_factory=list)
    _count: int = 0

    def add(self, piece: Piece, representation: Representation) -> None:
        """Add the melody of `piece`, if it has one, as `melody_of` returns it."""
        if self._count == MAX_NOTES:
            self.left_out += 1
        elif (found := melody_of(piece, representation.score(piece))) is not None:
            self.append(*found)

    def append(self, title: str, source: str, notes: Contour) -> None:
        count = len(notes.intervals)
        if self._count + count > MAX_NOTES:
            self._count = MAX_NOTES
            self.left_out += 1
            return
        self.tunes.append(MelodySource(title, source, count))
        self._notes.append(notes)
        self._count += count

    def melodies(self) -> MelodyCollection:
        none = Contour(np.empty(0, np.int8), np.empty(0, np.int8), np.empty(0, np.uint16))
        columns = zip(*(self._notes or [none]), strict=True)
        return MelodyCollection(Contour(*map(np.concatenate, columns)), self.tunes, self.left_out)


def melody_of(piece: Piece, score: Score | None) -> NamedMelody | None:
    """Return the melody of a piece whose music is `score`; None if it has none.

    Its source is without folders of this machine.
    """
    notes = None if score is None else contour(score)
    if score is None or notes is None:
        return None
    return NamedMelody(piece.title or score.title, _public(piece.source), notes)


def contour(score: Score) -> Contour | None:
    """Return the melody of `score`, which is its top line; None if it is silent."""
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
    """Return the ratio of two times in twelfths of an octave."""
    return int(_rounded(np.log2(time) - np.log2(before)))


def _rounded(octaves: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.round(12 * octaves), NONE + 1, -NONE - 1)


def _public(source: str) -> str:
    """Return the source without its folders, for files that leave this machine."""
    place, colon, rest = source.partition(": ")
    return source if source.startswith("corpus:") else place.replace("\\", "/").rpartition("/")[2] + colon + rest


def _bars(score: Score, onsets: Sequence[float]) -> Sequence[float]:
    """Return the bar number of each onset, as `music.bars` counts them."""
    meter = score.meters[0] if score.meters else COMMON_TIME
    if len(score.meters) < 2 and meter.onset <= 0 < meter.bar:
        pickup = score.pickup if 0 < score.pickup < meter.bar else 0
        numbers = np.floor((np.array(onsets) - float(pickup)) / float(meter.bar) + _SLACK) + 1
        return list(np.minimum(numbers, 2**16 - 1))
    every = list(bars(score))
    starts = [float(bar.start) for bar in every]
    return [min(every[max(0, bisect_right(starts, onset) - 1)].number, 2**16 - 1) for onset in onsets]
