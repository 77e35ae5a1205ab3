"""Quantize notes to a grid of steps, and convert them back to beats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from composer.api import EncodeError, Note, RejectedPiece

__all__ = [
    "MAX_STEPS",
    "OFFGRID",
    "OFFGRID_HELP",
    "SLACK",
    "GridNote",
    "NotEncodable",
    "OffGrid",
    "quantize",
    "to_notes",
]

OFFGRID = {"refuse": "skips the piece", "round": "moves them to the nearest step", "drop": "drops them"}
"""What is done with notes that start or end between two steps."""

OFFGRID_HELP = "for notes between two steps: " + ", ".join(f"`{key}` {text}" for key, text in OFFGRID.items())

SLACK = Fraction(1, 8)
"""Tolerance in steps: many MIDI files end a note one tick before the next."""

MAX_STEPS = 2_000_000

MOVED, DROPPED = "notes moved to the grid", "notes off the grid left out"


class GridNote(NamedTuple):
    """A note in steps: `start`, MIDI `pitch`, and `length`, at least 1."""

    start: int
    pitch: int
    length: int

    @property
    def end(self) -> int:
        """The first step in which it no longer sounds."""
        return self.start + self.length


class NotEncodable(EncodeError):
    """A score that cannot be put on a grid. `reason` can be counted, `detail` says where."""

    def __init__(
        self, reason: str, detail: str = "", hint: str = "use other music, or other options with --option"
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, hint)
        self.reason, self.detail = reason, detail

    def as_rejection(self, name: str) -> RejectedPiece:
        return RejectedPiece(self.reason, name, self.detail)


class OffGrid(NotEncodable):
    """A note that starts or ends between two steps, with `offgrid=refuse`."""


def quantize(notes: Iterable[Note], steps: int | Fraction, offgrid: str) -> tuple[list[GridNote], dict[str, int]]:
    """Return `notes` on a grid of `steps` per beat, sorted, and losses counted by phrase.

    Notes that start and end within SLACK of two different steps are on the grid; `offgrid`, a key of OFFGRID, decides
    about the others. Notes have a length of at least one step. Raises OffGrid, naming the beat, for `refuse`, and
    NotEncodable if the notes take more than MAX_STEPS, in total or from the start.
    """
    quantized, losses, total = list[GridNote](), Counter[str](), 0
    times, parts = steps.as_integer_ratio()
    for note in notes:
        # integers, since fractions take ten times as long, and this is half the time of reading MIDI
        onset, of_onset = note.onset.as_integer_ratio()
        duration, of_duration = note.duration.as_integer_ratio()
        first, fits = _nearest(onset * times, of_onset * parts)
        end = (onset * of_duration + duration * of_onset) * times
        last, ends = _nearest(end, of_onset * of_duration * parts)
        if not (fits and ends and first < last):
            if offgrid == "refuse":
                raise OffGrid(
                    "notes off the grid",
                    f"a note of {float(note.duration):g} beats at beat {float(note.onset):g}",
                    "use a finer grid, or --option offgrid=round",
                )
            losses[MOVED if offgrid == "round" else DROPPED] += 1
            if offgrid == "drop":
                continue
        length = max(last - first, 1)
        quantized.append(GridNote(first, note.pitch, length))
        total += length
        if total > MAX_STEPS or last > MAX_STEPS:
            hint = "use a coarser grid, or split the piece"
            raise NotEncodable("too long for the grid", f"more than {MAX_STEPS:,} steps", hint)
    return sorted(quantized), dict(losses)


def _nearest(time: int, parts: int) -> tuple[int, bool]:
    """Return the step nearest to `time` / `parts`, and whether it is within SLACK.

    Rounds half up, so that the result does not depend on the position.
    """
    step = (2 * time + parts) // (2 * parts)
    return step, abs(time - step * parts) * SLACK.denominator <= SLACK.numerator * parts


def to_notes(notes: Iterable[GridNote], steps: int | Fraction, velocity: int = 80) -> tuple[Note, ...]:
    """Return `notes` on a grid of `steps` per beat as notes in beats."""
    return tuple(Note(_beats(note.start, steps), note.pitch, _beats(note.length, steps), velocity) for note in notes)


@lru_cache(2**12)
def _beats(count: int, steps: int | Fraction) -> Fraction:
    return Fraction(count) / steps
