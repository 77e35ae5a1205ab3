"""Scores as plain data: notes, parts, meters, keys and pieces.

Times and durations are in beats, exact fractions; a beat is a quarter note in every meter. Pitches are MIDI numbers: 60
is middle C. Everything is immutable and compares by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, NamedTuple

from composer.api.type_params import ContentT_co


class Note(NamedTuple):
    """One note. `onset` and `duration` in beats, `pitch` as MIDI number, `velocity` 1 to 127."""

    onset: Fraction
    pitch: int
    duration: Fraction
    velocity: int = 80

    @property
    def end(self) -> Fraction:
        """Beat at which the note ends."""
        return self.onset + self.duration


class ChordSymbol(NamedTuple):
    """An accompaniment chord by name (`Am`, `G7/B`), `duration` beats from `onset`."""

    onset: Fraction
    duration: Fraction
    symbol: str

    @property
    def pitches(self) -> tuple[int, ...]:
        """MIDI numbers of the chord, bass first, ascending; empty if the symbol is not the name of a chord."""
        from composer.api.chords import pitches

        return pitches(self.symbol)


class VoiceNotation(NamedTuple):
    """How a part is written: as a voice on the staff with the number `staff`, which several voices may share.

    Staves with the same `brace` belong together, as those of a keyboard do; 0 is for no brace. `clef` is `treble`,
    `alto`, `tenor`, `bass`, `soprano`, `mezzo`, `baritone` or `perc`, with another line as in `bass5` and an octave as
    in `treble-8`, or empty if it is unknown. Rests within the spans `hidden`, pairs of beats in order, are not shown.
    """

    staff: int
    brace: int = 0
    clef: str = ""
    hidden: tuple[tuple[Fraction, Fraction], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One voice or instrument; `program` is a General MIDI program 0 to 127.

    `notation` is None if it is unknown. It does not affect equality. If one part of a score has it, all have.
    """

    notes: tuple[Note, ...] = ()
    name: str = ""
    program: int = 0
    percussion: bool = False
    notation: VoiceNotation | None = field(default=None, compare=False)


class Tempo(NamedTuple):
    """From beat `onset` on, `bpm` quarter notes per minute."""

    onset: Fraction
    bpm: float


class TempoUnit(NamedTuple):
    """The note that the tempo mark at beat `onset` counts, by its length in beats: 3/2 for a dotted quarter note."""

    onset: Fraction
    length: Fraction


class Meter(NamedTuple):
    """From beat `onset` on, bars of `numerator`/`denominator`."""

    onset: Fraction
    numerator: int
    denominator: int

    @property
    def bar(self) -> Fraction:
        """Length of a full bar in beats."""
        return Fraction(4 * self.numerator, self.denominator)


class Key(NamedTuple):
    """From beat `onset` on, a key signature of `sharps` (negative: flats) in `mode` (`major`, `dorian`, ...)."""

    onset: Fraction
    sharps: int
    mode: str = "major"


class Section(NamedTuple):
    """A section between two repeat signs or double bar lines, from beat `onset` to `end`, played `times` times."""

    onset: Fraction
    end: Fraction
    times: int = 1

    @property
    def written(self) -> Fraction:
        """Length in beats of one time through."""
        return (self.end - self.onset) / self.times


class BarNumber(NamedTuple):
    """The `number` as written of the bar that begins at beat `onset`."""

    onset: Fraction
    number: int


class WrittenBar(NamedTuple):
    """A bar as written, `length` beats long and played from each of the beats `onsets`, ascending.

    `number` is 0 for the pickup of a section. `opens` is set if a repeat begins before the bar. `times` is how often
    the repeat that ends after it is played, 1 for none. `endings` are the passes that the bar is played in, empty for
    all. `divided` is set if a double bar line follows.
    """

    onsets: tuple[Fraction, ...]
    length: Fraction
    number: int
    opens: bool = False
    times: int = 1
    endings: tuple[int, ...] = ()
    divided: bool = False


class Notation(NamedTuple):
    """How a score is written: its bars, in which repeats are not written out, and a word such as `jig` above them."""

    bars: tuple[WrittenBar, ...]
    rhythm: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Music in performance order: repeats are expanded, ties are merged.

    `pickup` is the length in beats of an incomplete first bar, or 0. `losses` counts what reading a file lost, as in
    `Piece.losses`, and `places` says by phrase where what was guessed is first: `line 12, column 7`. `sections` are the
    sections as written, in order, none if they are unknown, `fermatas` are the beats at which notes with a fermata
    begin, ascending, `phrase_ends` those at which the last notes of phrases begin, none if the file does not mark
    phrases, and `bar_numbers` are those of all bars as played, empty if bars are numbered 1, 2, 3 ... `notation` is
    None if it is unknown, or not told by repeats alone, as with a D.C. `tempo_units` are those of the tempos that have
    one, and `composers` are names. These nine do not affect equality.
    """

    parts: tuple[Part, ...]
    chords: tuple[ChordSymbol, ...] = ()
    tempos: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    pickup: Fraction = Fraction(0)
    title: str = ""
    losses: Mapping[str, int] = field(default_factory=dict, compare=False)
    sections: tuple[Section, ...] = field(default=(), compare=False)
    fermatas: tuple[Fraction, ...] = field(default=(), compare=False)
    bar_numbers: tuple[BarNumber, ...] = field(default=(), compare=False)
    phrase_ends: tuple[Fraction, ...] = field(default=(), compare=False)
    notation: Notation | None = field(default=None, compare=False)
    places: Mapping[str, str] = field(default_factory=dict, compare=False)
    tempo_units: tuple[TempoUnit, ...] = field(default=(), compare=False)
    composers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes except percussion, by onset, then pitch."""
        return tuple(sorted(note for part in self.parts if not part.percussion for note in part.notes))

    @property
    def is_audible(self) -> bool:
        """Whether there is anything to hear: a note, percussion included, or a chord symbol that names a chord."""
        return any(part.notes for part in self.parts) or any(
            chord.duration > 0 and chord.pitches for chord in self.chords
        )

    @property
    def duration(self) -> Fraction:
        """Beat at which the last note or chord ends; 0 for an empty score."""
        ends = [note.end for part in self.parts for note in part.notes]
        ends += [chord.onset + chord.duration for chord in self.chords]
        return max(ends, default=Fraction(0))


@dataclass(frozen=True, slots=True)
class Piece(Generic[ContentT_co]):
    """One training item, or one generated piece, in the terms of a representation.

    `content` (ABC text, tokens, frames) belongs to the representation that made the piece and must be hashable;
    `Piece[str]` has a text. It is identified by a digest of it as plain data, or of its `canonical_bytes()` if it has
    that method. `source` is its origin, for messages (`jigs.abc: tune 12`). `labels` can become conditions
    (`{"rhythm": "jig"}`). `losses` counts what the piece lacks of its source, by a phrase that can follow a number
    (`{"drum notes left out": 12}`). In training, `is_variant` tells what `Representation.variants` made from the
    pieces themselves.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)  # that of Generic cannot call a frozen class with slots

    content: ContentT_co
    title: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)
    is_variant: bool = field(default=False, compare=False)


class RejectedPiece(NamedTuple):
    """A piece of a source that was skipped, and why. Rejections are counted by `reason` and named by `source`.

    `reason` is one of a few phrases that can be counted ("bar length does not match the meter"); `detail` gives the
    position ("line 12, column 7"). `hint` says how to change the music, if that is known.
    """

    reason: str
    source: str
    detail: str = ""
    hint: str = ""
