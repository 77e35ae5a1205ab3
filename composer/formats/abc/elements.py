"""The elements of a parsed tune: sounds, bar lines, part marks, and changes of meter and key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from composer.formats.abc.reader.lexer import Diagnostic, Field, TuneText
from composer.formats.abc.reader.staves import StaffPlace
from composer.formats.abc.reader.tempo import WrittenTempo
from composer.formats.abc.text_escapes import decode_text
from composer.music.direction_words import Direction
from composer.music.keys import Signature, Time

__all__ = ["Sound"]

Tone = tuple[int, int]
"""A spelled pitch: a step (see `music.keys`) and its alteration in semitones."""


@dataclass(slots=True)
class Sound:
    """A note, a chord of notes or, without tones, a rest, that lasts `ticks`.

    `ties` are the tones that are tied to the next sound, `group` is the number of its tuplet (0 for none), and `chord`
    is the text of its chord symbol. `fermata` is set if it has one, and `hidden` for an invisible rest.
    """

    tones: tuple[Tone, ...]
    ticks: int
    line: int
    column: int
    chord: str = ""
    ties: tuple[Tone, ...] = ()
    group: int = 0
    fermata: bool = False
    hidden: bool = False

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


@dataclass(slots=True)
class Overlay:
    """The start of a voice overlay, `&`: the sounds after it start with the current bar, or `bars - 1` bars earlier.

    A passage `(&` ... `&` ... `&)` has `begins` and `ends`; each `&` inside it goes back to its beginning.
    """

    bars: int = 1
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class TempoChange:
    """A tempo from the next sound on."""

    tempo: WrittenTempo


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of playback order, such as a segno or D.C., before the next sound."""

    direction: Direction


Element = Sound | Mark | PartMark | Time | Signature | Overlay | TempoChange | Sign


@dataclass(slots=True)
class Instrument:
    """What plays a voice: its General MIDI program, None if no directive sets it, and whether it is percussion.

    `name` is that of the voice, `V:1 name="Flute"`; empty without one.
    """

    program: int | None = None
    percussion: bool = False
    name: str = ""


@dataclass(slots=True)
class Tune:
    """A tune as written. `key`, `time`, `unit` and `tempo` (as text) are those in force when the music starts.

    `voices` holds the elements of each voice in order, and `instruments` what plays them; `tuplets` holds p, q and r of
    each tuplet. `inherited` are the fields of the file's header, and `symbols` the decorations of redefinable symbols.
    `drums` are the MIDI numbers of drums by written pitch. `clefs` are those of the voices that have one, and `staves`
    the places of voices that `%%score` names.
    `losses` counts what is left out of the voices, by a phrase, and `unscored` what a score has no place for.
    """

    text: TuneText
    fields: list[Field] = field(default_factory=list)
    key: Signature | None = None
    time: Time | None = None
    unit: Fraction | None = None
    tempo: str = ""
    order: str = ""
    voices: dict[str, list[Element]] = field(default_factory=dict)
    overlay_notes: int = 0
    tuplets: list[tuple[int, int, int]] = field(default_factory=lambda: [(1, 1, 1)])
    diagnostics: list[Diagnostic] = field(default_factory=list)
    inherited: list[Field] = field(default_factory=list)
    symbols: dict[str, str] = field(default_factory=lambda: {"H": "fermata", "O": "coda", "S": "segno"})
    instruments: dict[str, Instrument] = field(default_factory=dict)
    losses: Counter[str] = field(default_factory=Counter)
    unscored: Counter[str] = field(default_factory=Counter)
    drums: dict[int, int] = field(default_factory=dict)
    clefs: dict[str, str] = field(default_factory=dict)
    staves: dict[str, StaffPlace] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """Return the value of the first field `name` of the tune's or else the file's header; empty without one."""
        fields = (*self.fields, *self.inherited)
        return next((found.value for found in fields if found.name == name), "")

    @property
    def title(self) -> str:
        """The first title, with its escapes as characters."""
        return decode_text(self.first("T"))

    @property
    def composers(self) -> tuple[str, ...]:
        """The names of the `C:` fields of the tune's or else the file's header, with their escapes as characters."""
        own = [each.value for each in self.fields if each.name == "C" and each.value]
        return tuple(
            map(decode_text, own or [each.value for each in self.inherited if each.name == "C" and each.value])
        )

    def report(self, line: int, column: int, kind: str, message: str = "") -> None:
        self.diagnostics.append(Diagnostic(line, column, kind, message))
