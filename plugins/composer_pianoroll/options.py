"""Options of the pianoroll representation, and the parts that they select."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api.fields import check_ranges, invalid_setting, option
from composer.music.scales import parse_range
from composer.toolkit.representations.quantize import OFFGRID_HELP, NotEncodable
from composer.toolkit.representations.score_parts import NoteSource

MAX_STEPS_PER_BEAT, MAX_STACK = 96, 64


@dataclass(frozen=True, slots=True)
class PianorollOptions:
    """Which notes to use, and how to quantize them."""

    range: str = option("21-108", "lowest and highest pitch, as MIDI numbers", metavar="LOW-HIGH")
    steps: int = option(4, "steps per quarter note", minimum=1, maximum=MAX_STEPS_PER_BEAT)
    onsets: bool = option(True, "distinguish onsets from held notes")
    stack: int = option(1, "time steps per frame", minimum=1, maximum=MAX_STACK)
    offgrid: Literal["round", "refuse", "drop"] = option("round", OFFGRID_HELP)
    parts: str = option("all", "parts to use: `all`, `piano` (General MIDI programs 0 to 7), or the name of a part")
    pedal: bool = option(True, "apply the sustain pedal of MIDI files")
    positions: bool = option(
        False,
        "give the model the position in the bar, the bar number, and how many bars are left; each piece follows a plan",
    )

    def __post_init__(self) -> None:
        parse_range(self.range)
        check_ranges(self, "-O")
        if not self.parts.strip():
            raise invalid_setting(self, "parts", "use all, piano, or the name of a part", "-O")


def choose_parts(parts: list[NoteSource], which: str) -> list[NoteSource]:
    """Return the parts that `which` selects. Raises NotEncodable if there is none."""
    if which == "all":
        return parts
    if which == "piano":
        chosen = [part for part in parts if part.program < 8]
    else:
        chosen = [part for part in parts if part.name.casefold() == which.casefold()]
    if not chosen:
        names = ", ".join(part.name or "an unnamed part" for part in parts)
        raise NotEncodable(f"no part `{which}`", f"the parts are {names}")
    return chosen
