"""The elements of a parsed tune: sounds, bar lines, part marks, and changes of meter and key."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from composer.formats.abc.reader.lexer import Diagnostic, Field, TuneText
from composer.music.keys import Signature, Time

__all__ = ["Sound"]

Tone = tuple[int, int]
"""A spelled pitch: a step (see `music.keys`) and its alteration in semitones."""


@dataclass(slots=True)
class Sound:
    """A note, a chord of notes or, without tones, a rest, that lasts `ticks`.

    `ties` are the tones that are tied to the next sound, `group` is the number of its tuplet (0 for none), and `chord`
    is the text of its chord symbol.
    """

    tones: tuple[Tone, ...]
    ticks: int
    line: int
    column: int
    chord: str = ""
    ties: tuple[Tone, ...] = ()
    group: int = 0

    @property
    def tie(self) -> bool:
        return bool(self.ties)


@dataclass(slots=True)
class Mark:
    """A bar line. `ends` counts the repetitions it closes; `starts` is set if it opens a repeat, `strong` for `||` and
    `|]`. `endings` are the passes in which the following bars are played.
    """  # fmt: skip

    text: str
    line: int
    column: int
    ends: int = 0
    starts: bool = False
    strong: bool = False
    endings: tuple[int, ...] = ()


@dataclass(slots=True)
class PartMark:
    """The start of a part: `P:A` in the body."""

    name: str
    line: int
    column: int


Element = Sound | Mark | PartMark | Time | Signature


@dataclass(slots=True)
class Tune:
    """A tune as written. `key`, `time`, `unit` and `tempo` (as text) are those in force when the music starts.

    `voices` holds the elements of each voice in order, without `overlays`; `percussion` has the names of those on MIDI
    channel 10. `tuplets` holds p, q and r of each tuplet.
    """

    text: TuneText
    fields: list[Field] = field(default_factory=list)
    key: Signature | None = None
    time: Time | None = None
    unit: Fraction | None = None
    tempo: str = ""
    order: str = ""
    voices: dict[str, list[Element]] = field(default_factory=dict)
    percussion: set[str] = field(default_factory=set)
    overlays: bool = False
    tuplets: list[tuple[int, int, int]] = field(default_factory=lambda: [(1, 1, 1)])
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def first(self, name: str) -> str:
        """Return the value of the header's first field `name`, or an empty string."""
        return next((found.value for found in self.fields if found.name == name), "")

    def report(self, line: int, column: int, kind: str, message: str = "") -> None:
        self.diagnostics.append(Diagnostic(line, column, kind, message))
