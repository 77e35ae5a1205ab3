"""Layout of frames: convert notes to frames, and frames to notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from composer.api import Event, Note, UnitGroup
from composer.toolkit.representations.quantize import GridNote, to_notes

NOTES_JOINED, CUT_SHORT = "notes joined to another of their pitch", "notes cut short by the next of their pitch"


@dataclass(frozen=True, slots=True)
class Roll:
    """The content of a piece: its number of steps, and its notes as packed integers (see `note_arrays`)."""

    steps: int
    numbers: bytes

    @classmethod
    def from_notes(cls, steps: int, notes: Iterable[GridNote]) -> Roll:
        """Return a roll of notes in any order."""
        from composer.toolkit.representations.note_arrays import NoteArrays, numbers_to_bytes

        return cls(steps, numbers_to_bytes(NoteArrays.from_notes(notes).as_numbers()))

    @property
    def notes(self) -> tuple[GridNote, ...]:
        """The notes, sorted."""
        from composer.toolkit.representations.note_arrays import NoteArrays

        return NoteArrays.from_bytes(self.numbers).as_notes()

    def canonical_bytes(self) -> bytes:
        """Return bytes that identify the roll: those of a tuple of its steps and notes."""
        notes = [b"t3:%b%b%b" % tuple(map(_digits, note)) for note in self.notes]
        return b"t2:%bt%d:%b" % (_digits(self.steps), len(notes), b"".join(notes))


@lru_cache(2**14)
def _digits(number: int) -> bytes:
    return b"r%d:%d" % (len(str(number)), number)


@dataclass(frozen=True, slots=True)
class Layout:
    """The units of a frame: per pitch and each of `stack` steps, an onset and a hold unit, or one `on` unit.

    `lowest` and `highest` are MIDI pitches, inclusive.
    """

    lowest: int
    highest: int
    onsets: bool = True
    stack: int = 1

    @property
    def pitch_count(self) -> int:
        return self.highest - self.lowest + 1

    @property
    def units_per_step(self) -> int:
        return self.pitch_count * (2 if self.onsets else 1)

    @property
    def size(self) -> int:
        return self.units_per_step * self.stack

    @property
    def groups(self) -> tuple[UnitGroup, ...]:
        roles = ("onset", "hold") if self.onsets else ("on",)
        starts = ((step, at, role) for step in range(self.stack) for at, role in enumerate(roles))
        return tuple(
            UnitGroup(role, first, first + self.pitch_count, self.lowest, step)
            for step, at, role in starts
            for first in (step * self.units_per_step + at * self.pitch_count,)
        )

    def frames(self, roll: Roll) -> Iterator[tuple[int, ...]]:
        """Yield the frames of `roll`; the last is padded with silence."""
        stack, stride = self.stack, self.units_per_step
        units: list[list[int]] = [[] for _ in range(-(-roll.steps // stack))]
        hold_offset = self.pitch_count if self.onsets else 0
        for start, pitch, length in roll.notes:
            unit = pitch - self.lowest
            for step in range(start, start + length):
                units[step // stack].append(step % stack * stride + unit)
                unit = pitch - self.lowest + hold_offset
        for frame_units in units:
            frame_units.sort()
            yield tuple(frame_units)

    def sounding(self, frame: Sequence[int], substep: int) -> list[int]:
        """Return the MIDI pitches that sound in a step of a frame, ascending."""
        first = substep * self.units_per_step
        units = (unit - first for unit in frame if first <= unit < first + self.units_per_step)
        return sorted(self.lowest + unit % self.pitch_count for unit in units)

    def steps(self, frame: tuple[int, ...]) -> list[tuple[set[int], set[int]]]:
        """Return the pitches that start and those that are held in each step; without onsets, all are held."""
        steps: list[tuple[set[int], set[int]]] = [(set(), set()) for _ in range(self.stack)]
        for unit in frame:
            step, place = divmod(unit, self.units_per_step)
            role, pitch = divmod(place, self.pitch_count)
            steps[step][1 if role or not self.onsets else 0].add(self.lowest + pitch)
        return steps


class RollDecoder:
    """Converts frames to notes as they end. A hold without an onset starts a note."""

    def __init__(self, layout: Layout, steps: int = 1) -> None:
        self.layout, self.steps_per_beat = layout, steps
        self.now = 0
        self._onsets: dict[int, int] = {}

    def push(self, step: tuple[int, ...]) -> Iterable[Event]:
        """Return the notes that end in the frame `step`, in beats."""
        return self._beats(self.advance(step))

    def finish(self) -> Iterable[Event]:
        """Return the notes that still sound, in beats."""
        return self._beats(self.end())

    def advance(self, frame: tuple[int, ...]) -> list[GridNote]:
        """Return the notes that end in `frame`, on the grid."""
        notes: list[GridNote] = []
        for onsets, holds in self.layout.steps(frame):
            notes += self._end_notes(pitch for pitch in self._onsets if pitch in onsets or pitch not in holds)
            for pitch in onsets | holds:
                self._onsets.setdefault(pitch, self.now)
            self.now += 1
        return notes

    def end(self) -> list[GridNote]:
        """Return the notes that still sound, on the grid."""
        return self._end_notes(self._onsets)

    def _end_notes(self, pitches: Iterable[int]) -> list[GridNote]:
        starts = [(self._onsets.pop(pitch), pitch) for pitch in sorted(pitches)]
        return [GridNote(start, pitch, self.now - start) for start, pitch in starts]

    def _beats(self, notes: Iterable[GridNote]) -> tuple[Note, ...]:
        return to_notes(notes, self.steps_per_beat)
