"""Options of the grid representation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from composer.api.fields import invalid_value, option
from composer.toolkit.representations.quantize import OFFGRID_HELP

WHOLE_NOTES = 64
"""Default maximum length of a generated piece, in whole notes."""
FINEST = 128


@dataclass(frozen=True, slots=True)
class GridOptions:
    """How to extract and quantize melodies."""

    step: str = option("1/16", "length of a step, as a fraction of a whole note", metavar="FRACTION")
    transpose: Literal["none", "c"] = option("none", "`c` transposes every piece to C major or A minor")
    polyphony: Literal["top", "refuse"] = option(
        "top", "for music in several voices: `top` uses the top voice, `refuse` skips the piece"
    )
    offgrid: Literal["round", "refuse", "drop"] = option("round", OFFGRID_HELP)
    positions: bool = option(
        False,
        "give the model the position in the bar, the bar number, and how many bars are left; each piece follows a plan",
    )

    def __post_init__(self) -> None:
        length_of(self.step)


def length_of(step: str) -> Fraction:
    """Parse a step length such as `1/16`, in whole notes. Raises OptionError."""
    parts = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", step.strip())
    length = Fraction(int(parts[1]), int(parts[2] or 1) or FINEST**2) if parts else Fraction(0)
    if not Fraction(1, FINEST) <= length <= 1:
        raise invalid_value("`step`", step, f"use a fraction from 1 to 1/{FINEST}, such as -O step=1/16")
    return length
