"""Notes in beats onto a grid of steps, and back; what does not fit the grid is moved, dropped or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from composer.api import EncodeError, Note, RejectedPiece

OFFGRID: Mapping[str, str] = {
    "refuse": "leave out the whole piece",
    "round": "move its ends to the nearest step",
    "drop": "leave out the note",
}
"""What may become of a note that begins or ends off the grid."""

SLACK = Fraction(1, 8)
"""So much of a step may be missing: many MIDI files end a note a tick before the next begins."""

MAX_STEPS = 2_000_000

MOVED, DROPPED = "notes moved to the grid", "notes off the grid left out"


class GridNote(NamedTuple):
    """A note in steps: `start` from the beginning, `pitch` in MIDI numbers, `length` at least 1."""

    start: int
    pitch: int
    length: int

    @property
    def end(self) -> int:
        """The step before which it stops sounding."""
        return self.start + self.length


class NotEncodable(EncodeError):
    """A score that has no place on a grid. `reason` counts well, and `detail` says where."""

    def __init__(self, reason: str, detail: str = "", hint: str = "give other music, or other options with -o") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, hint)
        self.reason, self.detail = reason, detail

    def as_rejection(self, name: str) -> RejectedPiece:
        """The same for a piece of a corpus."""
        return RejectedPiece(self.reason, name, self.detail)


class OffGrid(NotEncodable):
    """A note that begins or ends between two steps, where such are refused."""


def quantize(notes: Iterable[Note], steps: int | Fraction, offgrid: str) -> tuple[list[GridNote], dict[str, int]]:
    """`notes` on a grid of `steps` to a beat, in ascending order, and what was lost, counted by phrase.

    What begins within SLACK of a step and ends so close to a later one is on the grid; `offgrid`, a key of OFFGRID,
    says what becomes of the rest. A note keeps a length of at least one step. Raises OffGrid, naming the beat, where
    one is refused, and NotEncodable where the notes take more than MAX_STEPS, together or from the beginning.
    """
    placed: list[GridNote] = []
    losses: Counter[str] = Counter()
    total = 0
    times, parts = steps.as_integer_ratio()
    for note in notes:
        # whole numbers, since fractions take ten times as long, and this is half of what reading MIDI takes
        onset, of_onset = note.onset.as_integer_ratio()
        duration, of_duration = note.duration.as_integer_ratio()
        first, fits = _nearest(onset * times, of_onset * parts)
        end = (onset * of_duration + duration * of_onset) * times
        last, ends = _nearest(end, of_onset * of_duration * parts)
        if not (fits and ends and first < last):
            if offgrid == "refuse":
                raise OffGrid(
                    "notes off the grid",
                    f"a note at beat {float(note.onset):g} of {float(note.duration):g} beats is off the grid",
                    "take a finer grid, or let notes be moved to it",
                )
            losses[MOVED if offgrid == "round" else DROPPED] += 1
            if offgrid == "drop":
                continue
        placed.append(GridNote(first, note.pitch, max(last - first, 1)))
        total += max(last - first, 1)
        if total > MAX_STEPS or last > MAX_STEPS:
            raise NotEncodable(
                "too long for the grid", f"more than {MAX_STEPS:,} steps", "take a coarser grid, or cut it"
            )
    return sorted(placed), dict(losses)


def _nearest(time: int, parts: int) -> tuple[int, bool]:
    """The step nearest to `time` / `parts`, and whether it is within SLACK of it.

    Half-way it is the later one, so that music is the same wherever it stands.
    """
    step = (2 * time + parts) // (2 * parts)
    return step, abs(time - step * parts) * SLACK.denominator <= SLACK.numerator * parts


def to_notes(notes: Iterable[GridNote], steps: int | Fraction, velocity: int = 80) -> tuple[Note, ...]:
    """`notes` on a grid of `steps` to a beat as notes in beats."""
    return tuple(Note(_beats(note.start, steps), note.pitch, _beats(note.length, steps), velocity) for note in notes)


@lru_cache(2**12)
def _beats(count: int, steps: int | Fraction) -> Fraction:
    return Fraction(count) / steps
