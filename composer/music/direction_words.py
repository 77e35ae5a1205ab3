"""Signs of playback order that are written as words: D.C. al Fine, To Coda, Segno."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from composer.music.playback_order import BarSigns, Jump


class Direction(NamedTuple):
    """A word or sign for the order of playing. `jump` is that of the kind `jump`."""

    kind: Literal["segno", "coda", "to coda", "fine", "jump"]
    jump: Jump = Jump()


NAME = "1"
"""The name of the only segno, and of the only coda, of a piece."""

_PLACES: dict[str, Direction] = {
    "segno": Direction("segno"), "coda": Direction("coda"), "fine": Direction("fine"), "fin": Direction("fine"),
    "end": Direction("fine"),
    "tocoda": Direction("to coda"), "dacoda": Direction("to coda"), "alcoda": Direction("to coda"),
}  # fmt: skip
_JUMP = re.compile(r"(dc|dacapo|ds|dalsegno|dasegno)(?:(al|untilthe|until|tothe|to)?(fine|fin|coda|segno))?")

_JUMP_WORDS = re.compile(r"\bd\. ?[cs]\.|\bdc\b|\bda capo\b|\bdal segno\b", re.IGNORECASE)


def mentions_jump(text: str) -> bool:
    """Return whether a text is about a jump, in whatever words, such as `Menuetto D.C. senza replica`."""
    return _JUMP_WORDS.search(text) is not None


@lru_cache(maxsize=4096)
def read_direction(text: str) -> Direction | None:
    """Return the direction in a text such as `D.C. al Fine` or `dacapo`; None for others, such as the chord `D7/c`."""
    if not 2 <= len(text) <= 40 or "/" in text:
        return None
    plain = re.sub(r"[^a-z]", "", text.lower())
    match = _JUMP.fullmatch(plain)
    if match is None:
        return _PLACES.get(plain)
    to = NAME if "s" in match[1] else ""
    if match[3] == "segno":
        return Direction("jump", Jump(NAME))
    return Direction("jump", Jump(to, {"coda": "coda", "fine": "fine", "fin": "fine"}.get(match[3] or "", "")))  # type: ignore[arg-type]


def with_directions(bar: BarSigns, directions: Iterable[Direction]) -> BarSigns:
    """Return `bar` with the signs of `directions`; of several jumps, the first one counts."""
    found = list(directions)
    kinds = {each.kind for each in found}
    return bar._replace(
        segno=NAME if "segno" in kinds else "",
        coda=NAME if "coda" in kinds else "",
        to_coda=NAME if "to coda" in kinds else "",
        fine="fine" in kinds,
        jump=next((each.jump for each in found if each.kind == "jump"), None),
    )
