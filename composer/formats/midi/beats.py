"""Ticks of a MIDI file as beats: its notes, meters and keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from operator import sub
from typing import TYPE_CHECKING, Any, TypeVar

from composer.api import Key, Meter, Note, Tempo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["beats", "signs"]


def signs(
    division: int, meters: Iterable[tuple[int, int, int]], keys: Iterable[tuple[int, int, str]]
) -> tuple[tuple[Meter, ...], tuple[Key, ...], Fraction]:
    """Return the meters and keys of a file, and the length of its pickup in beats."""
    beat = beats_of_ticks(division)
    found = [Meter(beat[tick], numerator, denominator) for tick, numerator, denominator in meters]
    pickup = Fraction(0)
    if len(found) > 1 and found[0].onset == 0 and found[0].bar == found[1].onset < found[1].bar:
        pickup = found[0].bar
        found[:2] = [Meter(Fraction(0), found[1].numerator, found[1].denominator)]
    signatures = (Key(beat[tick], sharps, mode) for tick, sharps, mode in keys)
    return last_at_each_onset(found), last_at_each_onset(signatures), pickup


def beats(notes: NDArray[Any], division: int) -> Iterator[Note]:
    """Yield the notes (n, 4) of a track in beats, lazily and in the same order."""
    starts, ends, pitches, velocities = notes.T.tolist()
    beat = beats_of_ticks(division).__getitem__
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
def beats_of_ticks(division: int) -> Mapping[int, Fraction]:
    """Return the beats of each tick, `division` of which are a beat."""
    return _Beats(division)


_Sign = TypeVar("_Sign", bound="Tempo | Meter | Key")


def last_at_each_onset(events: Iterable[_Sign]) -> tuple[_Sign, ...]:
    """Return the last of the events that are at the same time."""
    return tuple({event.onset: event for event in events}.values())
