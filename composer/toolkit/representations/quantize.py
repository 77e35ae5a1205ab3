"""Quantize notes to a grid of steps, and convert them back to beats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from composer.api import Note
from composer.toolkit.representations.steps import SLACK, NotEncodable, nearest_step

__all__ = [
    "MAX_STEPS",
    "OFFGRID",
    "OFFGRID_HELP",
    "SLACK",
    "GridNote",
    "NotEncodable",
    "OffGrid",
    "quantize",
    "quantize_voices",
    "to_notes",
]

OFFGRID = {
    "round": "moves them to the nearest step, leaves out ornaments, and skips a piece that would lose its rhythm",
    "refuse": "skips the piece",
    "drop": "drops them",
}
"""What is done with notes that start or end between two steps."""

OFFGRID_HELP = "for notes between two steps: " + ", ".join(f"`{key}` {text}" for key, text in OFFGRID.items())

MAX_STEPS = 2_000_000

FINEST_UNIT = 1 << 24
"""Most units in which times of a score are counted, per step; any usual rhythm is exact."""

DROPPED = "notes off the grid left out"


class GridNote(NamedTuple):
    """A note in steps: `start`, MIDI `pitch`, and `length`, at least 1."""

    start: int
    pitch: int
    length: int

    @property
    def end(self) -> int:
        """The first step in which it no longer sounds."""
        return self.start + self.length


class OffGrid(NotEncodable):
    """A note that starts or ends between two steps, with `offgrid=refuse`."""


def quantize(notes: Iterable[Note], steps: int | Fraction, offgrid: str) -> tuple[list[GridNote], dict[str, int]]:
    """Return the `notes` of one part on a grid, as `quantize_voices` does."""
    return quantize_voices([tuple(notes)], steps, offgrid)


def quantize_voices(
    voices: Sequence[Sequence[Note]], steps: int | Fraction, offgrid: str
) -> tuple[list[GridNote], dict[str, int]]:
    """Return the notes of all `voices` on a grid of `steps` per beat, sorted, and losses counted by phrase.

    Notes that start and end within SLACK of two different steps are on the grid; `offgrid`, a key of OFFGRID, decides
    about the others. Notes have a length of at least one step. Raises OffGrid, naming the beat, for `refuse`;
    NotEncodable if the notes take more than MAX_STEPS, in total or from the start, or if `round` would lose the rhythm
    (see `rounding.round_notes`).
    """
    quantized, missed, total = list[GridNote](), 0, 0
    times, parts = steps.as_integer_ratio()
    for note in (note for voice in voices for note in voice):
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
            missed += 1
            if offgrid == "drop":
                continue
        length = max(last - first, 1)
        quantized.append(GridNote(first, note.pitch, length))
        total += length
        if total > MAX_STEPS or last > MAX_STEPS:
            hint = "use a coarser grid, or split the piece"
            raise NotEncodable("too long for the grid", f"more than {MAX_STEPS:,} steps", hint)
    if missed and offgrid == "round":
        return _rounded(voices, steps)
    return sorted(quantized), {DROPPED: missed} if missed else {}


def _rounded(voices: Sequence[Sequence[Note]], steps: int | Fraction) -> tuple[list[GridNote], dict[str, int]]:
    """Round the notes of `voices` as integers. Raises NotEncodable."""
    import numpy as np

    from composer.toolkit.representations.rounding import round_notes

    notes = [note for voice in voices for note in voice]
    times = [(note.onset * steps, note.end * steps) for note in notes]
    unit = min(lcm(*{time.denominator for pair in times for time in pair}), FINEST_UNIT)
    starts, ends = np.array([(round(start * unit), round(end * unit)) for start, end in times], np.int64).T
    pitches = np.array([note.pitch for note in notes], np.int64)
    parts = np.arange(len(voices)).repeat([len(voice) for voice in voices])
    rounded = round_notes(starts, ends, pitches, parts, unit, steps)
    columns = rounded.starts.tolist(), pitches[rounded.kept].tolist(), rounded.lengths.tolist()
    return sorted(map(GridNote, *columns)), rounded.losses


def _nearest(time: int, unit: int) -> tuple[int, bool]:
    """Return the step nearest to `time`, and whether it is within SLACK."""
    step = nearest_step(time, unit)
    return step, abs(time - step * unit) * SLACK.denominator <= SLACK.numerator * unit


def to_notes(notes: Iterable[GridNote], steps: int | Fraction, velocity: int = 80) -> tuple[Note, ...]:
    """Return `notes` on a grid of `steps` per beat as notes in beats."""
    return tuple(Note(_beats(note.start, steps), note.pitch, _beats(note.length, steps), velocity) for note in notes)


@lru_cache(2**12)
def _beats(count: int, steps: int | Fraction) -> Fraction:
    return Fraction(count) / steps
