"""The 413 events of a performance: note-on, note-off, time shift and velocity, and the notes that they play.

Oore, Simon, Dieleman, Eck and Simonyan, "This Time with Feeling: Learning Expressive Musical Performance" (2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

TICKS_PER_SECOND = 125
"""A tick is 8 ms."""
MAX_SHIFT = 125
"""Ticks of the longest time shift, a second."""
BINS = 32
"""Velocity bins, of four velocities each."""

END = 0
"""The end symbol; the 413 events follow."""
NOTE_ON = END + 1
NOTE_OFF = NOTE_ON + 128
SHIFT = NOTE_OFF + 128
"""The id of a shift by one tick."""
VELOCITY = SHIFT + MAX_SHIFT
"""The id of the lowest velocity bin."""
SIZE = VELOCITY + BINS

DEFAULT_BIN = 20
"""The velocity bin of notes before the first velocity event: velocities 80 to 83."""


class PlayedNote(NamedTuple):
    """A note from tick `start` to tick `end`, with its MIDI `pitch` and velocity `bin`."""

    start: int
    pitch: int
    end: int
    bin: int


def bin_of(velocity: int) -> int:
    """Return the bin of a MIDI velocity."""
    return velocity * BINS // 128


def velocity_of(bin_: int) -> int:
    """Return the middle velocity of a bin."""
    return (2 * bin_ + 1) * 64 // BINS


def seconds(ticks: int) -> Fraction:
    """Return the time of a tick."""
    return Fraction(ticks, TICKS_PER_SECOND)


def nearest_tick(time: Fraction) -> int:
    """Return the tick nearest to a time in seconds."""
    return round(time * TICKS_PER_SECOND)


def without_overlaps(notes: Iterable[PlayedNote]) -> tuple[tuple[PlayedNote, ...], int]:
    """Return `notes`, sorted, so that each ends when its pitch is struck again, and how many were dropped for it.

    Of notes that start together at the same pitch, the longest stays. A note lasts at least a tick.
    """
    kept: dict[tuple[int, int], PlayedNote] = {}
    count = 0
    for note in notes:
        count += 1
        at = note.pitch, note.start
        kept[at] = max(kept.get(at, note), note)
    result = []
    following: PlayedNote | None = None
    for note in sorted(kept.values(), key=lambda note: (note.pitch, note.start), reverse=True):
        end = max(note.end, note.start + 1)
        if following is not None and following.pitch == note.pitch:
            end = min(end, following.start)
        result.append(note._replace(end=end))
        following = note
    return tuple(sorted(result)), count - len(result)


def encode(notes: Iterable[PlayedNote]) -> Iterator[int]:
    """Yield the events of `notes` without overlaps: the only encoding of them that the constraint allows.

    At each time, notes end before others start, both from low to high. Shifts are as long as possible, and a velocity
    comes only before a note whose velocity differs from that of the note before it.
    """
    moves: list[tuple[int, bool, int, int]] = []
    for note in notes:
        moves += ((note.start, True, note.pitch, note.bin), (note.end, False, note.pitch, 0))
    now, current = 0, -1
    for time, starts, pitch, bin_ in sorted(moves):
        while now < time:
            shift = min(time - now, MAX_SHIFT)
            yield SHIFT + shift - 1
            now += shift
        if not starts:
            yield NOTE_OFF + pitch
            continue
        if bin_ != current:
            yield VELOCITY + bin_
            current = bin_
        yield NOTE_ON + pitch


class EventPlayer:
    """Plays events in any order, and returns each note once it has ended.

    A note that is struck again ends there; the release of a note that does not sound has no effect.
    """

    def __init__(self) -> None:
        self.now = 0
        """The current time in ticks."""
        self._bin = DEFAULT_BIN
        self._sounding: dict[int, tuple[int, int]] = {}

    def play(self, event: int) -> PlayedNote | None:
        """Return the note that `event` ends, if any. A note that lasts no time is lost."""
        if event >= VELOCITY:
            self._bin = event - VELOCITY
        elif event >= SHIFT:
            self.now += event - SHIFT + 1
        elif event >= NOTE_OFF:
            return self._release(event - NOTE_OFF)
        elif event >= NOTE_ON:
            ended = self._release(event - NOTE_ON)
            self._sounding[event - NOTE_ON] = self.now, self._bin
            return ended
        return None

    def finish(self) -> list[PlayedNote]:
        """End all notes, each after at least a tick."""
        notes = [PlayedNote(start, pitch, max(self.now, start + 1), bin_) for pitch, (start, bin_) in
                 self._sounding.items()]  # fmt: skip
        self._sounding.clear()
        return notes

    def _release(self, pitch: int) -> PlayedNote | None:
        if pitch not in self._sounding:
            return None
        start, bin_ = self._sounding.pop(pitch)
        return PlayedNote(start, pitch, self.now, bin_) if start < self.now else None
