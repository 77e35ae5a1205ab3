"""Read a MIDI file as a Score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from operator import sub
from typing import TYPE_CHECKING, Any, TypeVar

from composer.api import Key, Meter, Note, Part, Score, Source, Tempo
from composer.formats.midi import parser, ticks
from composer.formats.midi.tracks import MidiFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARK = re.compile(rb"\xff(?:\x7f|\x01)([\x80-\xff]{0,3}[\x00-\x7f])(\x7d?)(?=composer \d)")


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score]]:
    """Yield the name and score of the file."""
    yield source.label, read_midi(source.bytes(), source.label, pedal=pedal)


def find_marks(data: bytes) -> Iterator[str]:
    """Yield what `writer.mark` inserted, and older versions as text events."""
    for match in _MARK.finditer(data):
        length = 0
        for byte in match[1]:
            length = length << 7 | byte & 0x7F
        yield data[match.end() : match.start(2) + length].decode("ascii", "replace")


def read_midi(data: bytes, name: str, *, pedal: bool = False) -> Score:
    """Return the score in a MIDI file. Times are exact fractions of ticks; channel 10 is percussion.

    Each channel and program of each track is a part. With `pedal`, a note that ends while the sustain pedal is down
    lasts until it goes up or the pitch is struck again, at most to the end of the part; percussion ignores the pedal.
    Notes without note-off or of zero length, and whatever else is left out, are counted among the losses. Irregular
    files are read as `repair` says. Raises ReadError, naming the file. Time and memory are bounded for any bytes.
    """
    file = parser.parse(data, name)
    for track in file.tracks:
        track.notes[:] = ticks.in_order(track.notes)
    ticks.validate(file, name, pedal=pedal)
    parts = (Part(tuple(beats(t.notes, file.division)), t.name, t.program, t.percussion) for t in file.parts)
    return replace(score_without_notes(file), parts=tuple(parts), losses=file.losses)


def score_without_notes(file: MidiFile) -> Score:
    """Return a score with the title, tempos, meters and keys of `file` and no parts."""
    meters, keys, pickup = signs(file.division, file.meters, file.keys)
    beat = _beats_of(file.division)
    tempos = (Tempo(beat[tick], 60e6 / microseconds) for tick, microseconds in file.tempos)
    return Score((), tempos=_last_at_each_onset(tempos), meters=meters, keys=keys, pickup=pickup, title=file.title)


def signs(
    division: int, meters: Iterable[tuple[int, int, int]], keys: Iterable[tuple[int, int, str]]
) -> tuple[tuple[Meter, ...], tuple[Key, ...], Fraction]:
    """Return the meters and keys of a file, and the length of its pickup in beats."""
    beat = _beats_of(division)
    found = [Meter(beat[tick], numerator, denominator) for tick, numerator, denominator in meters]
    pickup = Fraction(0)
    if len(found) > 1 and found[0].onset == 0 and found[0].bar == found[1].onset < found[1].bar:
        pickup = found[0].bar
        found[:2] = [Meter(Fraction(0), found[1].numerator, found[1].denominator)]
    signatures = (Key(beat[tick], sharps, mode) for tick, sharps, mode in keys)
    return _last_at_each_onset(found), _last_at_each_onset(signatures), pickup


def beats(notes: NDArray[Any], division: int) -> Iterator[Note]:
    """Yield the notes (n, 4) of a track in beats, lazily and in the same order."""
    starts, ends, pitches, velocities = notes.T.tolist()
    beat = _beats_of(division).__getitem__
    return map(Note, map(beat, starts), pitches, map(beat, map(sub, ends, starts)), velocities)


class _Beats(dict[int, Fraction]):
    """Ticks in beats, of `division` ticks; remembered, since few values occur often and fractions are slow to make."""

    def __init__(self, division: int) -> None:
        super().__init__()
        self._division = division

    def __missing__(self, tick: int) -> Fraction:
        if len(self) == 2**16:
            self.clear()
        beat = self[tick] = Fraction(tick, self._division)
        return beat


@lru_cache(8)
def _beats_of(division: int) -> _Beats:
    return _Beats(division)


_Sign = TypeVar("_Sign", bound="Tempo | Meter | Key")


def _last_at_each_onset(events: Iterable[_Sign]) -> tuple[_Sign, ...]:
    return tuple({event.onset: event for event in events}.values())
