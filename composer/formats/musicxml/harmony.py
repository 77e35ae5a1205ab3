"""Chord symbols from the `harmony` elements of MusicXML."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.formats.musicxml.attributes import Transposition, number
from composer.music import chords

_SIMILAR = {
    "dominant-seventh": "dominant", "minor-11th": "minor-ninth", "minor-13th": "minor-ninth",
    "major-11th": "major-ninth", "major-13th": "major-ninth", "minor-major": "major-minor",
    "maj69": "major-sixth", "Neapolitan": "major",
}  # fmt: skip
"""Kinds that have no name of their own here, and the nearest that has one."""

_ALTERED = {
    ("major", frozenset({(9, 0)})): "added-ninth",
    ("major", frozenset({(2, 0)})): "added-ninth",
    ("dominant", frozenset({(9, -1)})): "flat-ninth",
    ("dominant", frozenset({(5, 1)})): "augmented-seventh",
    ("minor-seventh", frozenset({(5, -1)})): "half-diminished",
    ("suspended-fourth", frozenset({(7, -1)})): "suspended-fourth-seventh",
    ("suspended-fourth", frozenset({(7, 0)})): "suspended-fourth-seventh",
    ("dominant", frozenset({(4, 0)})): "suspended-fourth-seventh",
}
"""Kinds with added or altered degrees that have a name."""


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
    found = _kind(kind, _degrees(element))
    text = kind_element.get("text") if kind_element is not None else None
    if found is None and text:
        parsed = chords.parse(root + text)
        found = (parsed.kind, True) if parsed is not None else None
    name, exact = found or ("major", False)
    return Harmony(chords.Chord(root, name, bass).symbol, "" if exact else SIMPLIFIED)


def _kind(kind: str, degrees: frozenset[tuple[int, int]]) -> tuple[str, bool] | None:
    """Return the name of a kind with degrees, and whether it is exact; None if there is none like it."""
    base = _SIMILAR.get(kind, kind)
    if (base, degrees) in _ALTERED:
        return _ALTERED[base, degrees], True
    if base not in chords.KINDS:
        return None
    return base, not degrees and (base == kind or kind in chords.MUSIC21.values())


def _degrees(element: Element) -> frozenset[tuple[int, int]]:
    """Return the degrees that are added or altered, with their alterations; a subtracted one has no such name."""
    found = []
    for each in element.iterfind("degree"):
        value = (each.findtext("degree-value") or "").strip()
        alter = (each.findtext("degree-alter") or "").strip()
        if (each.findtext("degree-type") or "").strip() == "subtract":
            value = "0"
        found.append((int(value) if value.isdecimal() else 0, {"1": 1, "-1": -1}.get(alter, 0)))
    return frozenset(found)


def _note(element: Element, which: str, transposition: Transposition) -> str | None:
    place = element.find(which)
    step = (place.findtext(f"{which}-step") or "").strip() if place is not None else ""
    if place is None or not step:
        return None
    return transposition.note_name(step, max(-2, min(2, round(number(place, f"{which}-alter")))))
