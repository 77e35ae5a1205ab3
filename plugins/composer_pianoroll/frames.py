"""What a frame is: which unit stands for which note, notes into frames, and frames into notes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from composer.api import Event, Note, Step, UnitGroup
from composer.toolkit.representations.quantize import GridNote, to_notes

NOTES_JOINED, CUT_SHORT = "notes joined to another of their pitch", "notes cut short where their pitch is struck again"


@dataclass(frozen=True, slots=True)
class Roll:
    """The content of a piece: it takes `steps` steps; `numbers` are its notes (see `note_arrays`)."""

    steps: int
    numbers: bytes

    @classmethod
    def from_notes(cls, steps: int, notes: Iterable[GridNote]) -> Roll:
        """A roll of notes in any order."""
        from composer.toolkit.representations.note_arrays import NoteArrays, numbers_to_bytes

        return cls(steps, numbers_to_bytes(NoteArrays.from_notes(notes).as_numbers()))

    @property
    def notes(self) -> tuple[GridNote, ...]:
        """The notes in ascending order."""
        from composer.toolkit.representations.note_arrays import NoteArrays

        return NoteArrays.from_bytes(self.numbers).as_notes()

    def canonical_bytes(self) -> bytes:
        """What a digest of the roll is of: a tuple of its steps and notes, as such tuples have always been digested."""
        notes = [
            b"t3:%b%b%b" % (_digits(start), _digits(pitch), _digits(length)) for start, pitch, length in self.notes
        ]
        return b"t2:%bt%d:%b" % (_digits(self.steps), len(notes), b"".join(notes))


@lru_cache(2**14)
def _digits(number: int) -> bytes:
    return b"r%d:%d" % (len(str(number)), number)


@dataclass(frozen=True, slots=True)
class Layout:
    """The units of a frame: for each of its `stack` steps one onset and one hold unit a pitch, or one `on` unit.

    `lowest` and `highest` are MIDI numbers, both within the range.
    """

    lowest: int
    highest: int
    onsets: bool = True
    stack: int = 1

    @property
    def pitch_count(self) -> int:
        """How many pitches there are."""
        return self.highest - self.lowest + 1

    @property
    def units_per_step(self) -> int:
        """How many units stand for one step."""
        return self.pitch_count * (2 if self.onsets else 1)

    @property
    def size(self) -> int:
        """How many units a frame has."""
        return self.units_per_step * self.stack

    @property
    def groups(self) -> tuple[UnitGroup, ...]:
        """What the units are, for the models."""
        roles = ("onset", "hold") if self.onsets else ("on",)
        starts = ((step, at, role) for step in range(self.stack) for at, role in enumerate(roles))
        return tuple(
            UnitGroup(role, first, first + self.pitch_count, self.lowest, step)
            for step, at, role in starts
            for first in (step * self.units_per_step + at * self.pitch_count,)
        )

    def frames(self, roll: Roll) -> Iterator[tuple[int, ...]]:
        """`roll` as frames; the last is filled up with silence."""
        stack, stride = self.stack, self.units_per_step
        units: list[list[int]] = [[] for _ in range(-(-roll.steps // stack))]
        continued = self.pitch_count if self.onsets else 0
        for start, pitch, length in roll.notes:
            unit = pitch - self.lowest
            for step in range(start, start + length):
                units[step // stack].append(step % stack * stride + unit)
                unit = pitch - self.lowest + continued
        for frame_units in units:
            frame_units.sort()
            yield tuple(frame_units)

    def steps(self, frame: Step) -> list[tuple[set[int], set[int]]]:
        """Each step of a frame as the pitches that are struck and those that go on; without onsets, all go on."""
        found: list[tuple[set[int], set[int]]] = [(set(), set()) for _ in range(self.stack)]
        for unit in frame if isinstance(frame, tuple) else ():
            step, place = divmod(unit, self.units_per_step)
            role, pitch = divmod(place, self.pitch_count)
            found[step][1 if role or not self.onsets else 0].add(self.lowest + pitch)
        return found


class RollDecoder:
    """Frames into notes, each when it is over. A pitch that is held without having been struck begins there."""

    def __init__(self, layout: Layout, steps: int = 1) -> None:
        self.layout, self.steps_per_beat = layout, steps
        self.now = 0
        self._struck: dict[int, int] = {}

    def push(self, step: Step) -> Iterable[Event]:
        """The notes that `step` ends, in beats."""
        return self._beats(self.take(step))

    def finish(self) -> Iterable[Event]:
        """All that still sounds, ended."""
        return self._beats(self.end())

    def take(self, frame: Step) -> list[GridNote]:
        """The notes that `frame` ends, on the grid."""
        over: list[GridNote] = []
        for onsets, holds in self.layout.steps(frame):
            over += self._ended(pitch for pitch in self._struck if pitch in onsets or pitch not in holds)
            for pitch in onsets | holds:
                self._struck.setdefault(pitch, self.now)
            self.now += 1
        return over

    def end(self) -> list[GridNote]:
        """All that still sounds, on the grid."""
        return self._ended(self._struck)

    def _ended(self, pitches: Iterable[int]) -> list[GridNote]:
        starts = [(self._struck.pop(pitch), pitch) for pitch in sorted(pitches)]
        return [GridNote(start, pitch, self.now - start) for start, pitch in starts]

    def _beats(self, notes: Iterable[GridNote]) -> tuple[Note, ...]:
        return to_notes(notes, self.steps_per_beat)
