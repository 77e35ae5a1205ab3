"""Read files of any format as scores, and count what is skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source
from composer.data.corpus import Rejections
from composer.formats import FORMATS
from composer.formats.read import music_suffix, no_music_hint, read_scores, suffixes_of
from composer.music.contour import MelodyCollection, MelodyCollector, contour


class NamedScore(NamedTuple):
    """A piece as music, with its `name` (`jigs.abc: tune 12`) and title."""

    name: str
    title: str
    score: Score


class ScoreReader:
    """Yield the pieces of `found` as they are read.

    A `representation` reads the files of its own suffixes as it does for training; other files are read as music. So
    are pieces that it rejects, unless they are in its native format: a melody off its grid can still be compared.
    Afterward, `files` and `pieces` are counted, `rejected` and `places` are by reason, `losses` by phrase, and
    `unreadable` has a line for each file that cannot be read. Raises ReadError at the end if there was no piece.
    """

    def __init__(self, found: Iterable[Source | ReadError], representation: Representation | None = None) -> None:
        self._found, self._representation = found, representation
        self._rejections = Rejections()
        self.losses = Counter[str]()
        self.unreadable: list[str] = []
        self.files = self.pieces = 0

    @property
    def rejected(self) -> Mapping[str, int]:
        """The number of rejected pieces for each reason."""
        return self._rejections.counts

    @property
    def places(self) -> Mapping[str, Sequence[str]]:
        """Where the first of them are."""
        return self._rejections.places

    def __iter__(self) -> Iterator[NamedScore]:
        for source in self._found:
            try:
                if isinstance(source, ReadError):
                    raise source
                for item in self._items(source):
                    if isinstance(item, RejectedPiece):
                        self._rejections.add(item)
                    else:
                        self.pieces += 1
                        yield item
            except ReadError as error:
                self.unreadable.append(error.message)
            self.files += 1
        if not self.pieces:
            reason = self._rejections.most_common()
            if self.unreadable and not reason:
                raise ReadError(self.unreadable[0], no_music_hint())
            raise ReadError(f"no music in these files{f': {reason}' if reason else ''}", no_music_hint())

    def melodies(self, progress: Callable[[int, int], object] | None = None) -> MelodyCollection:
        """Return the melodies of all pieces. `progress` is called with the number of files and of pieces so far."""
        collecting = MelodyCollector()
        for piece in self:
            if progress is not None:
                progress(self.files, self.pieces)
            notes = contour(piece.score)
            if notes is not None:
                collecting.append(piece.title, piece.name, notes)
        return collecting.melodies()

    def _items(self, source: Source) -> Iterator[NamedScore | RejectedPiece]:
        representation = self._representation
        if representation is None or suffix_of(source) not in suffixes_of(representation):
            for name, music in read_scores(source):
                yield music if isinstance(music, RejectedPiece) else self._as_it_is(name, music)
            return
        scores: Mapping[str, Score] | None = None
        for item in representation.read(source):
            score = representation.score(item) if isinstance(item, Piece) else None
            if isinstance(item, RejectedPiece):
                if scores is None:
                    scores = _foreign_scores(source, representation)
                foreign = scores.get(item.source)
                yield item if foreign is None else self._as_it_is(item.source, foreign)
            elif score is None:
                yield RejectedPiece("no music", item.source)
            else:
                self.losses.update(representation.losses(item))
                yield NamedScore(item.source, item.title or score.title, score)

    def _as_it_is(self, name: str, score: Score) -> NamedScore:
        self.losses.update(score.losses)
        return NamedScore(name, score.title, score)


def _foreign_scores(source: Source, representation: Representation) -> dict[str, Score]:
    """Return the scores with notes in `source` by name, if it is music in another than the native format."""
    suffix = music_suffix(source)
    native = FORMATS.get(representation.native or "")
    if not suffix or (native is not None and suffix in native.suffixes):
        return {}
    return {name: score for name, score in read_scores(source) if isinstance(score, Score) and score.notes}


def suffix_of(source: Source) -> str:
    """Return the usual suffix of the music in `source`, else its own. Raises ReadError if it cannot be read."""
    return music_suffix(source) or source.path.suffix.lower()
