"""Tempos in quarter notes per minute from `sound` and `metronome` elements."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree.ElementTree import Element

NOTE_TYPES = {
    "maxima": Fraction(32), "long": Fraction(16), "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2),
    "quarter": Fraction(1), "eighth": Fraction(1, 2), "16th": Fraction(1, 4), "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16), "128th": Fraction(1, 32), "256th": Fraction(1, 64), "512th": Fraction(1, 128),
    "1024th": Fraction(1, 256),
}  # fmt: skip
"""Lengths of note types in beats."""

_BPM = re.compile(r"\d{1,6}(?:\.\d{1,9})?", re.ASCII)
_PER_MINUTE = re.compile(r"(?<!\d)(?<!\d\.)" + _BPM.pattern, re.ASCII)


def sound_bpm(sound: Element) -> float | None:
    """Return the tempo of a `sound` element; None if it is not a positive number."""
    text = sound.get("tempo", "").strip()
    return (float(text) or None) if _BPM.fullmatch(text) else None


def metronome_bpm(metronome: Element) -> float | None:
    """Return the tempo of a `metronome` element, such as a dotted quarter at `c. 80`; None if it has no number."""
    per_minute = _PER_MINUTE.search(metronome.findtext("per-minute") or "")
    return float(per_minute[0]) * float(metronome_unit(metronome)) or None if per_minute is not None else None


def metronome_unit(metronome: Element) -> Fraction:
    """Return the length in beats of the note that a `metronome` element counts; 0 if it is unknown."""
    unit = (metronome.findtext("beat-unit") or "").strip()
    dots = sum(each.tag == "beat-unit-dot" for each in metronome)
    return dotted(NOTE_TYPES[unit], dots) if unit in NOTE_TYPES else Fraction(0)


def dotted(length: Fraction, dots: int) -> Fraction:
    """Return a length with `dots` dots."""
    return length * (2 - Fraction(1, 2 ** min(dots, 9)))
