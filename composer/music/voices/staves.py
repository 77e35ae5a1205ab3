"""The staves of a score whose parts say on which they are written."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction

from composer.api import Part

CLEF_OCTAVES = {"": 0, "+8": 1, "-8": -1, "+15": 2, "-15": -2}
"""By how many octaves the notes of a clef sound above their written pitch, by what its name in ABC ends with."""


def clef_octaves(clef: str) -> int:
    """Return by how many octaves notes sound above their written pitch, given the clef as in `VoiceNotation`."""
    return next((octaves for ending, octaves in CLEF_OCTAVES.items() if ending and clef.endswith(ending)), 0)


StaffGroup = list[list[Part]]
"""The staves of one instrument, each with its voices, from top to bottom."""


def staff_groups(parts: Sequence[Part]) -> list[StaffGroup]:
    """Return the staves of each instrument, from top to bottom.

    Parts share a staff, or a brace around several staves, only if they have the same instrument. A part without
    notation has a staff of its own.
    """
    found: dict[Hashable, dict[int, list[Part]]] = {}
    for number, part in enumerate(sorted(parts, key=lambda part: part.notation.staff if part.notation else 0)):
        place = part.notation
        key: Hashable = number
        if place is not None:
            key = (bool(place.brace), place.brace or place.staff, part.program, part.percussion)
        found.setdefault(key, {}).setdefault(place.staff if place else 0, []).append(part)
    return [[*staves.values()] for staves in found.values()]


def name_of(group: StaffGroup) -> str:
    """Return the names of the voices of a group."""
    return ", ".join(dict.fromkeys(part.name for staff in group for part in staff if part.name))


def hidden_rests(part: Part) -> Sequence[tuple[Fraction, Fraction]]:
    """Return the spans in which the rests of a part are not shown."""
    return part.notation.hidden if part.notation is not None else ()
