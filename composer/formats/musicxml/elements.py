"""The contents of a bar of one part of MusicXML. Times are in beats from the beginning of the bar."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from composer.music.playback_order import Jump


class Line(NamedTuple):
    """The notes that become one part of the score: those of a staff and an instrument."""

    staff: int
    percussion: bool
    program: int
    name: str


class WrittenNote(NamedTuple):
    """A sounding note. `passes` are the times through the bar that it is played in; empty for all."""

    onset: Fraction
    pitch: int
    duration: Fraction
    velocity: int
    line: Line
    voice: str
    continues: bool
    continued: bool
    passes: frozenset[int]


class Mark(NamedTuple):
    """A sign of playback order at a place in a bar.

    `times` and `after_jump` count for the end of a repeat, `numbers` for the beginning of an ending, `jump` for a jump.
    `name` tells apart several signs of a kind. `at_end` is True if the rest of the bar is empty.
    """

    kind: Literal[
        "repeat starts", "repeat ends", "ending starts", "ending stops", "final bar line", "double bar line",
        "segno", "coda", "coda sign", "to coda", "fine", "jump", "unclear",
    ]  # fmt: skip
    at: Fraction = Fraction(0)
    name: str = ""
    times: int = 2
    numbers: frozenset[int] = frozenset()
    jump: Jump = Jump()
    at_end: bool = False
    after_jump: bool = False


@dataclass(slots=True)
class Bar:
    """A bar of one part as written.

    `last_note` is where its last note ends. `divisions` are bar lines inside it with signs of repeats.

    `clefs` are those that begin in it, by staff, as in `VoiceNotation`.

    All lists but `marks` and `divisions` are in order of time: notes, tempos in BPM (quarter notes) with the length of
    the note that they are written with, 0 for none, meters as numerator and denominator, keys as sharps and mode, chord
    symbols with "" for none, and the beats of fermatas.

    `losses` counts what is left out each time the bar is played.
    """

    notes: list[WrittenNote] = field(default_factory=list)
    length: Fraction = Fraction(0)
    last_note: Fraction = Fraction(0)
    chords: list[tuple[Fraction, str]] = field(default_factory=list)
    tempos: list[tuple[Fraction, tuple[float, Fraction]]] = field(default_factory=list)
    meters: list[tuple[Fraction, tuple[int, int]]] = field(default_factory=list)
    keys: list[tuple[Fraction, tuple[int, str]]] = field(default_factory=list)
    fermatas: list[tuple[Fraction]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    clefs: list[tuple[int, str]] = field(default_factory=list)
    divisions: list[Fraction] = field(default_factory=list)
    losses: Counter[str] = field(default_factory=Counter)
