"""Settings for writing a score, which override what the score says."""

# No `from __future__ import annotations`: the command line would evaluate the strings at every start.

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from composer.api import Score, TempoUnit
from composer.api.fields import check_ranges, invalid_value, option

SLOWEST, FASTEST = 4, 1000
"""The tempos that can be set, in quarter notes per minute."""


def _instrument(text: str) -> int:
    from composer.music.instruments import parse_instrument

    return parse_instrument(text)


def _note_length(text: str) -> str:
    """Return `text`. Raises OptionError if it is not the length of a note, in whole notes."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}/[1-9][0-9]{0,3}", text):
        raise invalid_value("tempo_unit", text, "use a fraction such as 3/8")
    return text


def _instrument_names() -> list[str]:
    from composer.music.instruments import INSTRUMENTS

    return [name.replace(" ", "-") for name in INSTRUMENTS if "(" not in name]


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """Title, tempo, instrument and velocity, if not those of the score, by what to lengthen notes, and the SoundFont.

    `composers` are those of the score if they are given, one a line. `tempo_unit` is the note that `tempo` counts, such
    as 3/8 for a dotted quarter note, by default a quarter note; the tempo is in quarter notes all the same.
    A format that takes long to write calls `progress` with the share that is written, from 0 to 1. MusicXML has music
    for a keyboard on two staves if it is to be written `by_hand`.

    Raises OptionError for a value out of range.
    """

    title: str = option("", "Title of the piece, if the format supports titles.", metavar="TEXT")
    tempo: float | None = option(
        None, "Tempo in quarter notes per minute.", metavar="BPM", minimum=SLOWEST, maximum=FASTEST
    )
    instrument: int | None = option(
        None, "General MIDI instrument: a name such as violin, or 0 to 127.",
        metavar="NAME", minimum=0, maximum=127, parse=_instrument, choices=_instrument_names,
    )  # fmt: skip
    velocity: int | None = option(None, "Velocity of all notes, 1 to 127.", metavar="N", minimum=1, maximum=127)
    lengthen: str = option(
        "", "Multiply each note length by a random factor, such as 3-5; a note still ends when its pitch starts again.",
        metavar="LOW-HIGH",
    )  # fmt: skip
    soundfont: str = option(
        "", "SoundFont for WAV and --play, or none for the built-in synthesizer.", metavar="FILE", recorded=False
    )
    composers: str = field(default="", metadata={"internal": True})
    tempo_unit: str = field(default="", metadata={"internal": True, "parse": _note_length})
    progress: Callable[[float], object] | None = field(
        default=None, compare=False, metadata={"internal": True, "recorded": False}
    )
    by_hand: bool = field(default=False, metadata={"internal": True, "recorded": False})

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.lengthen:
            from composer.formats.lengthen import parse_factors

            parse_factors(self.lengthen)

    def applied_to(self, score: Score) -> Score:
        """Return `score` with this title, these composers, this tempo unit and longer notes, if they are set."""
        if self.lengthen:
            from composer.formats.lengthen import lengthened, parse_factors

            score = lengthened(score, parse_factors(self.lengthen))
        if self.composers:
            score = replace(score, composers=tuple(self.composers.split("\n")))
        if self.tempo_unit:
            score = replace(score, tempo_units=(TempoUnit(Fraction(0), 4 * Fraction(self.tempo_unit)),))
        return replace(score, title=self.title) if self.title else score
