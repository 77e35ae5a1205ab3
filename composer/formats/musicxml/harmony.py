"""Chord symbols in the `harmony` elements of MusicXML."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.formats.musicxml.attributes import Transposition, number
from composer.music import chords

_WITH_SEVENTH = {
    ("suspended-fourth", 0): "suspended-fourth-seventh", ("major", 0): "dominant", ("minor", 0): "minor-seventh",
    ("major", 1): "major-seventh", ("minor", 1): "major-minor", ("diminished", 0): "half-diminished",
    ("augmented", 0): "augmented-seventh",
}  # fmt: skip
"""Kinds with a seventh added to a triad, by its alteration from the minor seventh."""
_FIFTH, _SEVENTH = 5, 7
_KNOWN_DEGREES = {(5, -1), (5, 1), (7, 1), *((number, alter) for number in (9, 11, 13) for alter in (-1, 0, 1))}
_SUSPENDED = ("dominant", 4, 0)
"""How some programs write a suspended fourth with a seventh: kind, degree and alteration."""
_OCTAVE_ABOVE = {2: 9, 4: 11, 6: 13}


class Harmony(NamedTuple):
    """A chord symbol as `composer.music.chords` spells it, empty for no chord, and what it lacks of the file's."""

    symbol: str
    loss: str = ""


SIMPLIFIED = "chord symbols simplified"
WITHOUT_ROOT = "chord symbols without a root left out"


def read_harmony(element: Element, transposition: Transposition) -> Harmony:
    """Return the sounding chord of a `harmony` element."""
    kind_element = element.find("kind")
    kind = (kind_element.text or "").strip() if kind_element is not None else "major"
    if kind == "none":
        return Harmony("")
    root = _note(element, "root", transposition)
    if root is None:
        return Harmony("", WITHOUT_ROOT)
    bass = _note(element, "bass", transposition) or root
    text = kind_element.get("text") if kind_element is not None else None
    named = chords.parse(root + text) if text and kind not in chords.MUSICXML_KINDS else None
    if named is not None:
        return Harmony(chords.named(root, named.kind, named.degrees, bass).symbol)
    base, own = chords.MUSICXML_KINDS.get(kind, ("major", ()))
    base, degrees, exact = _with_degrees(base, own, element)
    return Harmony(
        chords.named(root, base, degrees, bass).symbol, "" if exact and kind in chords.MUSICXML_KINDS else SIMPLIFIED
    )


def _with_degrees(kind: str, own: tuple[chords.Degree, ...], element: Element) -> tuple[str, set[chords.Degree], bool]:
    """Return a kind and its degrees with those of a `harmony` element, and whether there are no others."""
    found, exact = set(own), True
    for each in element.iterfind("degree"):
        written, alter = (_whole(each.findtext(tag)) for tag in ("degree-value", "degree-alter"))
        value, change = _OCTAVE_ABOVE.get(written, written), (each.findtext("degree-type") or "").strip()
        fifth = chords.own_alteration(kind, _FIFTH) or 0
        has_other_seventh = value == _SEVENTH and chords.own_alteration(kind, _SEVENTH) != 0
        alter += fifth if value == _FIFTH and change == "alter" else 0
        if (kind, written, alter) == _SUSPENDED:
            kind = "suspended-fourth-seventh"
        elif value == _SEVENTH and change == "add" and (kind, max(alter, 0)) in _WITH_SEVENTH:
            kind = _WITH_SEVENTH[kind, max(alter, 0)]
        elif (
            change != "subtract" and (value, alter) in _KNOWN_DEGREES and not (has_other_seventh and change == "alter")
        ):
            found.add((value, alter))
        else:
            exact = exact and (value, alter, fifth, change) == (_FIFTH, 0, 0, "add")
    return kind, found, exact


def _whole(text: str | None) -> int:
    """Return a whole number; 0 for other text."""
    return int(text) if text is not None and re.fullmatch(r"\s*-?\d{1,3}\s*", text, re.ASCII) else 0


def _note(element: Element, which: str, transposition: Transposition) -> str | None:
    place = element.find(which)
    step = (place.findtext(f"{which}-step") or "").strip() if place is not None else ""
    if place is None or not step:
        return None
    return transposition.note_name(step, max(-2, min(2, round(number(place, f"{which}-alter")))))
