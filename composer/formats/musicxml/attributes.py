"""Meter, key and transposition, as MusicXML's attributes give them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm
from xml.etree.ElementTree import Element

from composer.music.keys import (
    LETTERS,
    MAJOR_SCALE,
    MODE_ALIASES,
    MODE_FIFTHS,
    fifth,
    name_of_fifth,
)

MAX_SHARPS = 7


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
