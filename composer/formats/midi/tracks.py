"""The content of a MIDI file in ticks: tracks of notes, tempos, meters and keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MidiFile", "Track", "in_order"]


@dataclass(slots=True)
class Track:
    """The notes of one track, channel and program.

    `notes` (n, 4) are start, end (in ticks), pitch and velocity, in no order, column-major. `pedal` is the (tick,
    value) of the sustain pedal, in order; `notes_off` are the ticks of messages that end all notes.
    """

    name: str
    program: int
    percussion: bool
    notes: NDArray[Any]
    pedal: Sequence[tuple[int, int]] = ()
    notes_off: Sequence[int] = ()


@dataclass(slots=True)
class MidiFile:
    """The content of a file; a beat has `division` ticks.

    `notes` (n, 4) are those of all tracks in turn; each track's are a view of them. `tempos` are (tick, microseconds
    per beat), `meters` (tick, numerator, denominator), `keys` (tick, sharps, mode). `hanging` counts the notes without
    note-off, which are in no track; `losses` counts all that was left out, by phrase. `span` is the lowest and highest
    pitch, and the tick at which the last note ends.
    """

    division: int
    notes: NDArray[Any]
    title: str = ""
    tracks: list[Track] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, str]] = field(default_factory=list)
    hanging: int = 0
    losses: Mapping[str, int] = field(default_factory=dict)
    span: tuple[int, int, int] = (0, 127, 0)

    @property
    def parts(self) -> tuple[Track, ...]:
        """The tracks with notes, like the parts of a score."""
        return tuple([track for track in self.tracks if len(track.notes)])

    @property
    def chords(self) -> tuple[()]:
        """None: MIDI has no chord symbols."""
        return ()


def in_order(notes: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of `notes` (n, 4) sorted by start, pitch, end and velocity, as in a score."""
    import numpy as np

    starts, ends, pitches, velocities = notes.T
    # mostly, no pitch is struck twice at a time, so that one sort by start and pitch does
    keys = starts * 128 + pitches
    order = np.argsort(keys)
    ordered = keys[order]
    if np.count_nonzero(ordered[1:] == ordered[:-1]):
        order = np.lexsort((velocities, ends, pitches, starts))
    return notes[order]
