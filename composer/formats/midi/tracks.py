"""What a MIDI file holds, before it is music: tracks of notes in ticks, and signs that hold for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MidiFile", "Track", "decode_text", "printable_line"]


@dataclass(slots=True)
class Track:
    """The notes of one track, channel and program.

    `notes` (n, 4) are start, end (in ticks), pitch and velocity, in no order, kept column by column; `pedal` the
    (tick, value) of the sustain pedal, in order.
    """

    name: str
    program: int
    percussion: bool
    notes: NDArray[Any]
    pedal: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class MidiFile:
    """A file's content in ticks, `division` of which are a beat.

    `notes` (n, 4) are those of all tracks, one track after the other; those of a track are a view of them. `tempos` are
    (tick, microseconds a beat), `meters` (tick, numerator, denominator), `keys` (tick, sharps, mode). `hanging` counts
    the notes that are never ended, which are in no track; `losses`, by phrase, these and whatever else is left out.
    `span` is the lowest and the highest pitch, and the tick at which the last note ends.
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
        """The tracks with notes, as the parts of a score."""
        return tuple([track for track in self.tracks if len(track.notes)])

    @property
    def chords(self) -> tuple[()]:
        """None: MIDI has no chord symbols."""
        return ()


def printable_line(text: str) -> str:
    """`text` in one printable line."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def decode_text(raw: bytes) -> str:
    """The text of an event, in one printable line: UTF-8, else Latin-1."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return printable_line(text)
