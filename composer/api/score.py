"""Music as plain data: what representations read, and what writers write.

Times and durations are in beats, exact fractions, and one beat is one quarter note, whatever the meter.
Pitches are MIDI numbers: 60 is middle C. Everything is immutable and compares by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple


class Note(NamedTuple):
    """One sounding note. `onset` and `duration` in beats, `pitch` in MIDI numbers, `velocity` 1 to 127."""

    onset: Fraction
    pitch: int
    duration: Fraction
    velocity: int = 80

    @property
    def end(self) -> Fraction:
        """The beat at which the note stops sounding."""
        return self.onset + self.duration


class ChordSymbol(NamedTuple):
    """An accompaniment chord by name (`Am`, `G7/B`), sounding from `onset` for `duration` beats."""

    onset: Fraction
    duration: Fraction
    symbol: str


@dataclass(frozen=True, slots=True)
class Part:
    """One voice or instrument; `program` is a General MIDI program 0 to 127."""

    notes: tuple[Note, ...] = ()
    name: str = ""
    program: int = 0
    percussion: bool = False


class Tempo(NamedTuple):
    """From beat `onset` on, `bpm` quarter notes a minute."""

    onset: Fraction
    bpm: float


class Meter(NamedTuple):
    """From beat `onset` on, bars of `numerator`/`denominator`."""

    onset: Fraction
    numerator: int
    denominator: int

    @property
    def bar(self) -> Fraction:
        """The length of a full bar in beats."""
        return Fraction(4 * self.numerator, self.denominator)


class Key(NamedTuple):
    """From beat `onset` on, a key signature of `sharps` (negative: flats) in `mode` (`major`, `dorian`, ...)."""

    onset: Fraction
    sharps: int
    mode: str = "major"


@dataclass(frozen=True, slots=True)
class Score:
    """A piece of music in performance order: repeats are played out, ties are joined.

    `pickup` is the length in beats of an incomplete first bar, 0 where there is none. `losses` counts what of a file
    the score does not hold, as in `Piece.losses`; it is no part of the music, and equal scores may differ in it.
    """

    parts: tuple[Part, ...]
    chords: tuple[ChordSymbol, ...] = ()
    tempos: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    pickup: Fraction = Fraction(0)
    title: str = ""
    losses: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes of all parts but percussion, by onset, then pitch."""
        return tuple(sorted(note for part in self.parts if not part.percussion for note in part.notes))

    @property
    def duration(self) -> Fraction:
        """The beat at which the last note or chord ends; 0 for a silent score."""
        ends = [note.end for part in self.parts for note in part.notes]
        ends += [chord.onset + chord.duration for chord in self.chords]
        return max(ends, default=Fraction(0))


@dataclass(frozen=True, slots=True)
class Piece:
    """One training item, or one composed piece, in a representation's own terms.

    `content` belongs to the representation that made the piece (ABC text, tokens, frames) and must be hashable. What
    tells it from other content is a digest of it as plain data, or, where it has a method `identity() -> bytes`, of
    these bytes.
    `source` says where it comes from, for messages (`jigs.abc: tune 12`); `labels` are what a model may be
    conditioned on (`{"rhythm": "jig"}`). `losses` counts what of the source the piece does not hold, by a phrase that
    can follow a number (`{"drum notes left out": 12}`).
    """

    content: object
    title: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)


class RejectedPiece(NamedTuple):
    """A piece of a source that was left out, and why. Refusals are counted by `reason` and named by `source`.

    `reason` is one of a small number of phrases that count well ("a bar does not fill its meter");
    `detail` says where exactly ("line 12, column 7").
    """

    reason: str
    source: str
    detail: str = ""
