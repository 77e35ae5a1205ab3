"""What a tune is made of once it is parsed: sounds, bar lines, part marks, and changes of meter and key."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from composer.formats.abc.reader.lexer import Diagnostic, Field, TuneText
from composer.music.keys import Signature, Time

__all__ = ["Element", "Mark", "PartMark", "Sound", "Tone", "Tune"]

Tone = tuple[int, int]
"""A step (see `keys`) and its alteration in semitones."""


@dataclass(slots=True)
class Sound:
    """A note, a chord of notes or, without tones, a rest, of `ticks`.

    `ties` are those of its tones that are tied to what follows. `group` is the number of the tuplet it belongs to, 0
    for none, and `chord` the text of the chord symbol above it.
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
        """Whether any of its tones is tied."""
        return bool(self.ties)


@dataclass(slots=True)
class Mark:
    """A bar line. `ends` counts the repeats it closes, `starts` says that one opens; `endings` are the passes that
    what follows is for, and `strong` tells `||` and `|]` from `|`.
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
    """`P:A` in the body: here the part of that name begins."""

    name: str
    line: int
    column: int


Element = Sound | Mark | PartMark | Time | Signature


@dataclass(slots=True)
class Tune:
    """A tune as written. `key`, `time`, `unit` and `tempo` (a text) are those in force where the music begins.

    `voices` holds the elements of each voice in the order in which they came, without `overlays`; `tuplets` the p, q
    and r of each numbered tuplet.
    """

    text: TuneText
    fields: list[Field] = field(default_factory=list)
    key: Signature | None = None
    time: Time | None = None
    unit: Fraction | None = None
    tempo: str = ""
    order: str = ""
    voices: dict[str, list[Element]] = field(default_factory=dict)
    overlays: bool = False
    tuplets: list[tuple[int, int, int]] = field(default_factory=lambda: [(1, 1, 1)])
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The value of the first field `name` of the header; empty where there is none."""
        return next((found.value for found in self.fields if found.name == name), "")

    def add_diagnostic(self, line: int, column: int, kind: str, message: str = "") -> None:
        """Add a diagnostic."""
        self.diagnostics.append(Diagnostic(line, column, kind, message))
