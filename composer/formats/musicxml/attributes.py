"""Meter, key, transposition and clef, as MusicXML's attributes give them, and the staves of the parts of a score."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import lcm
from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.api import Part, VoiceNotation
from composer.music.keys import (
    LETTERS,
    MAJOR_SCALE,
    MODE_ALIASES,
    MODE_FIFTHS,
    fifth,
    name_of_fifth,
)
from composer.music.voices.polyphony import polyphonic_voices
from composer.music.voices.staves import CLEF_OCTAVES

MAX_SHARPS = 7
CLEF_CHANGES = "changes of clef left out"
PERCUSSION = "perc"
"""The clef of percussion, as in `VoiceNotation`."""

_NAMES = {
    "G2": "treble", "C3": "alto", "C4": "tenor", "F4": "bass", "C1": "soprano", "C2": "mezzo", "F3": "baritone",
}  # fmt: skip
_USUAL_LINES = {"G": 2, "C": 3, "F": 4}
_ENDINGS = {octaves: ending for ending, octaves in CLEF_OCTAVES.items()}
_MAX_OCTAVES = max(_ENDINGS)


@dataclass(frozen=True, slots=True)
class Transposition:
    """How a part sounds: `semitones` above what is written, spelled `fifths` higher on the line of fifths.

    `doubled` is the interval in semitones at which all notes sound too, 0 for none.
    """

    semitones: Fraction = Fraction(0)
    fifths: int = 0
    doubled: int = 0

    def key(self, sharps: int) -> int:
        """Return the sounding key signature for a written one, with at most seven sharps or flats."""
        sharps += self.fifths
        if abs(sharps) > MAX_SHARPS:
            sharps = (sharps + 5) % 12 - 5
        return sharps

    def note_name(self, step: str, alter: int) -> str:
        """Return the name of the sounding note (`F#`) for a written one, with one accidental at most."""
        place = fifth(LETTERS.index(step), alter) + self.fifths
        return name_of_fifth(place if -8 <= place <= 12 else (place + 5) % 12 - 5)


CONCERT = Transposition()
"""Notes sound as written."""


def read_transposition(element: Element) -> Transposition:
    """Return the content of a `transpose` element."""
    octaves = int(number(element, "octave-change"))
    chromatic = number(element, "chromatic")
    semitones = chromatic + 12 * octaves
    doubled = element.find("double")
    interval = 0 if doubled is None else 12 if doubled.get("above") == "yes" else -12
    return Transposition(semitones, _fifths(element.findtext("diatonic"), round(chromatic)), interval)


def _fifths(diatonic: str | None, chromatic: int) -> int:
    """Return an interval on the line of fifths: 2 for a major second."""
    steps = int(Fraction(diatonic.strip())) if diatonic and diatonic.strip() else None
    if steps is not None:
        place = fifth(steps, chromatic - (12 * (steps // 7) + MAJOR_SCALE[steps % 7]))
        if abs(place) <= MAX_SHARPS:
            return place
    return (7 * chromatic + 5) % 12 - 5


def read_meter(element: Element) -> tuple[int, int] | None:
    """Return numerator and denominator of a `time` element; the sum if it is composed; None for free time."""
    pairs = list(zip(_texts(element, "beats"), _texts(element, "beat-type"), strict=False))
    bottom = lcm(*(int(unit) for _, unit in pairs))
    top = sum(sum(map(int, beats.split("+"))) * (bottom // int(unit)) for beats, unit in pairs)
    return (top, bottom) if top else None


def _texts(element: Element, tag: str) -> list[str]:
    return ["".join((each.text or "").split()) for each in element.iterfind(tag)]


def bar_length(meter: tuple[int, int]) -> Fraction:
    """Return the length in beats of a bar of a meter, given as numerator and denominator."""
    return Fraction(4 * meter[0], meter[1])


def read_key(element: Element) -> tuple[int, str] | None:
    """Return sharps (negative: flats) and mode of a `key` element; None for accidentals of another kind.

    The mode is empty if the file does not say it.
    """
    mode = (element.findtext("mode") or "").strip().lower()
    mode = MODE_ALIASES.get(mode, mode)
    fifths = element.findtext("fifths")
    sharps = int(fifths) if fifths is not None else _sharps_of_steps(element)
    return None if sharps is None else (sharps, mode if mode in MODE_FIFTHS else "")


def _sharps_of_steps(element: Element) -> int | None:
    """Return the key signature that has the same accidentals as a list of altered steps, if there is one."""
    altered = {
        (step.strip(), alter.strip())
        for step, alter in zip(
            (each.text or "" for each in element.iterfind("key-step")),
            (each.text or "" for each in element.iterfind("key-alter")),
            strict=False,
        )
    } - {(letter, "0") for letter in LETTERS}
    return _STANDARD.get(frozenset(altered))


def _standard_signatures() -> dict[frozenset[tuple[str, str]], int]:
    order = "FCGDAEB"
    sharps = {frozenset((letter, "1") for letter in order[:count]): count for count in range(8)}
    flats = {frozenset((letter, "-1") for letter in order[7 - count :]): -count for count in range(1, 8)}
    return sharps | flats


_STANDARD = _standard_signatures()


def number(element: Element, tag: str) -> Fraction:
    """Return the number in the child `tag`, 0 if it is missing or empty. The parser has checked it."""
    return to_number(element.findtext(tag) or "0")


@cache
def to_number(text: str) -> Fraction:
    """Convert the text of a number, which may have decimals; empty is 0."""
    return Fraction(text.strip().removeprefix("+") or 0)


def ticks(element: Element) -> int | Fraction:
    """Return the `duration` in an element: an integer if it is whole, which is faster."""
    return _ticks(element.findtext("duration") or "0")


@cache
def _ticks(text: str) -> int | Fraction:
    found = to_number(text)
    return found if found.denominator > 1 else found.numerator


def clef_name(sign: str, line: int = 0, octaves: int = 0) -> str:
    """Return the name as in `VoiceNotation` of a clef with a `sign` such as `G` on a line from 1 to 5, 0 for the usual.

    Its notes sound `octaves` above their written pitch. Other signs than `G`, `C`, `F` and `percussion`, such as those
    of tablature, have no name.
    """
    if sign == "percussion":
        return PERCUSSION
    if sign not in _USUAL_LINES:
        return ""
    usual = _USUAL_LINES[sign]
    line = line if 1 <= line <= 5 else usual
    name = _NAMES.get(f"{sign}{line}") or f"{_NAMES[f'{sign}{usual}']}{line}"
    return name + _ENDINGS[min(max(octaves, -_MAX_OCTAVES), _MAX_OCTAVES)]


def read_clef(element: Element, transposition: Transposition) -> str:
    """Return the name of a `clef` element for notes at sounding pitch; empty for a clef without one.

    The octaves of a transposition belong to it: the treble clef of a guitar is `treble-8`.
    """
    sign, line, octaves = (element.findtext(tag) or "" for tag in ("sign", "line", "clef-octave-change"))
    return clef_of_texts(sign, line, octaves, int(transposition.semitones / 12))


def clef_of_texts(sign: str, line: str, octave_change: str, octaves: int = 0) -> str:
    """Return the name of a clef whose signs are as texts in a file, `octaves` higher; empty for a clef without one."""
    return clef_name(sign.strip(), _digit(line), _digit(octave_change) + octaves)


def _digit(text: str) -> int:
    """Return a number of one digit; 0 for another text."""
    return int(text) if re.fullmatch(r"\s*[-+]?\d\s*", text, re.ASCII) else 0


class StaffPart(NamedTuple):
    """A part of a score, the number of its staff among those of its instrument, and the clef, empty if unknown."""

    part: Part
    staff: int
    clef: str


def with_staves(instruments: Sequence[Sequence[StaffPart]]) -> tuple[Part, ...]:
    """Return the parts of all instruments in order, with their notation.

    An instrument with several staves has a brace. No part has a notation if there are neither clefs nor braces, or if
    a part is polyphonic: which voice its notes belong to is unknown, so that writers look for its voices and staves.
    """
    parts = tuple(each.part for own in instruments for each in own)
    notations = [*_notations(instruments)]
    is_known = any(each.clef or each.brace for each in notations)
    if not is_known or any(map(_is_polyphonic, parts)):
        return parts
    return tuple(replace(part, notation=each) for part, each in zip(parts, notations, strict=True))


def _is_polyphonic(part: Part) -> bool:
    """Return whether writers find voices in a part; a quick look at its notes, which are in order, may say no."""
    overlaps = any(one.end > other.onset for one, other in pairwise(part.notes))
    return overlaps and bool(polyphonic_voices(part))


def _notations(instruments: Sequence[Sequence[StaffPart]]) -> Iterator[VoiceNotation]:
    staff = braces = 0
    for own in instruments:
        has_brace = len({each.staff for each in own}) > 1
        braces += has_brace
        for each in own:
            staff += 1
            yield VoiceNotation(staff, braces if has_brace else 0, each.clef)


def clef_of_notes(clefs: Sequence[str], *, percussion: bool) -> str:
    """Return the first of the clefs of a staff that suits its notes, empty if none does.

    Pitched notes have no percussion clef, which would make them percussion when they are read again.
    """
    known = [clef for clef in clefs if clef]
    suited = [clef for clef in known if (clef == PERCUSSION) == percussion]
    return next(iter(suited or (known if percussion else ())), "")
