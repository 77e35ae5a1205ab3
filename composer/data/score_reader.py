"""Files of any kind heard as scores, one piece after another, with a count of what could not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source
from composer.data.corpus import Refusals
from composer.formats import read as score_files
from composer.music.contour import MelodyCollection, MelodyCollector, contour

__all__ = ["Heard", "Hearing", "suffix_of"]


class Heard(NamedTuple):
    """A piece by its `name` (`jigs.abc: tune 12`) and title, and as music."""

    name: str
    title: str
    score: Score


class Hearing:
    """The pieces of `found`, one by one as they are read.

    `representation` reads the files of its own kinds, as it reads what its models are taught; without one, and for
    other files, music is read as it stands. Once all were gone through, `files` and `pieces` say how many there were,
    `refused` and `places` by reason what was left out, and `unreadable` has a line for each file that cannot be read.
    Raises ReadError, in the end, where there was no piece.
    """

    losses: Mapping[str, int] = {}

    def __init__(self, found: Iterable[Source | ReadError], representation: Representation | None = None) -> None:
        self._found, self._representation = found, representation
        self._refusals = Refusals()
        self.unreadable: list[str] = []
        self.files = self.pieces = 0

    @property
    def refused(self) -> Mapping[str, int]:
        """How many pieces were left out for each reason."""
        return self._refusals.counts

    @property
    def places(self) -> Mapping[str, Sequence[str]]:
        """Where the first of them are."""
        return self._refusals.places

    def __iter__(self) -> Iterator[Heard]:
        for source in self._found:
            try:
                if isinstance(source, ReadError):
                    raise source
                for item in self._items(source):
                    if isinstance(item, RejectedPiece):
                        self._refusals.add(item)
                    else:
                        self.pieces += 1
                        yield item
            except ReadError as error:
                self.unreadable.append(error.message)
            self.files += 1
        if not self.pieces:
            commonest, hint = self._refusals.commonest(), "give ABC, MIDI or MusicXML with notes in it"
            reason = f"there is no music: {commonest}" if commonest else "there is no music"
            raise ReadError(self.unreadable[0] if self.unreadable and not commonest else reason, hint)

    def melodies(self, progress: Callable[[int, int], object] | None = None) -> MelodyCollection:
        """The melodies of all pieces. `progress` is called with the number of files and of pieces so far."""
        collecting = MelodyCollector()
        for heard in self:
            if progress is not None:
                progress(self.files, self.pieces)
            notes = contour(heard.score)
            if notes is not None:
                collecting.append(heard.title, heard.name, notes)
        return collecting.melodies()

    def _items(self, source: Source) -> Iterator[Heard | RejectedPiece]:
        representation = self._representation
        if representation is None or suffix_of(source) not in representation.suffixes:
            for name, music in score_files.read(source):
                yield music if isinstance(music, RejectedPiece) else Heard(name, music.title, music)
            return
        for item in representation.read(source):
            score = representation.score(item) if isinstance(item, Piece) else None
            if isinstance(item, RejectedPiece):
                yield item
            elif score is None:
                yield RejectedPiece("no music", item.source)
            else:
                yield Heard(item.source, item.title or score.title, score)


def suffix_of(source: Source) -> str:
    """The usual suffix of the music that `source` holds, else its own. Raises ReadError where it cannot be read."""
    return score_files.suffix_of(source) or source.path.suffix.lower()
