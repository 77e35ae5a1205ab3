"""The staves of voices, from `%%score` and `%%staves`, and their clefs."""

from __future__ import annotations

import re
from typing import NamedTuple


class StaffPlace(NamedTuple):
    """The staff of a voice, and the brace around it: numbers from 1, and 0 for no brace."""

    staff: int
    brace: int = 0


_DIRECTIVE = re.compile(r"\s*(?:score|staves)[ \t]+([^%]*)")
_TOKEN = re.compile(r"[(){}\[\]|*]|[^\s(){}\[\]|*]+")


def read_staves(directive: str) -> dict[str, StaffPlace]:
    """Return the places of the voices that `score {(1 2) (3 4)}` names; empty for another directive.

    Voices in `( )` share a staff, and `{ }` is a brace. Brackets and connected bar lines are left out.
    """
    match = _DIRECTIVE.match(directive)
    places: dict[str, StaffPlace] = {}
    staff = braces = brace = 0
    shared = False
    for token in _TOKEN.findall(match[1]) if match else ():
        if token == "{":
            brace = braces = braces + 1
        elif token == "}":
            brace = 0
        elif token in "()":
            shared = token == "("
            staff += shared
        elif token not in "[]|*":
            staff += not shared
            places.setdefault(token, StaffPlace(staff, brace))
    return places


_LINES = {"treble": 2, "alto": 3, "tenor": 4, "bass": 4, "soprano": 1, "mezzo": 2, "baritone": 3, "perc": 3}
_SIGNS = {"G": "treble", "C": "alto", "F": "bass"}
_CLEF = re.compile(
    rf"(?<![\w=])(?:clef=)?\"?(?:({'|'.join(_LINES)})(?:ussion)?|([GCF])(?=[1-5]))([1-5]?)([+-](?:8|15)(?!\d)|)"
)
_NAMES = re.compile(r'(?<!clef=)"[^"]*"')


def read_clef(properties: str) -> str:
    """Return the clef among the properties of a `K:` or `V:` field, as in `VoiceNotation`; empty without one."""
    match = _CLEF.search(_NAMES.sub("", properties))
    if match is None:
        return ""
    name = match[1] or _SIGNS[match[2]]
    line = match[3] if match[3] not in ("", str(_LINES[name])) else ""
    return name + line + match[4]
