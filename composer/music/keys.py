"""Keys and meters as ABC spells them, and the pitches of its notes.

A note is a step (`d`) and an alteration in semitones: step 0 is the C of MIDI number 0, each octave has seven steps,
so that `C` (middle C) is step 35 and `c` is step 42.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

__all__ = [
    "LETTERS",
    "MIDDLE_C",
    "Signature",
    "Time",
    "fifth",
    "key_name",
    "parse_key",
    "parse_meter",
    "pitch",
    "step_name",
]

MIDDLE_C = 35
WHOLE = 161_280
"""Ticks in a whole note: whole for all lengths down to 1/512 and for tuplets of 3, 5, 6, 7 and 9."""
BEAT = WHOLE // 4

LETTERS = "CDEFGAB"
"""The letters of the steps of an octave."""

_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_SHARPS = "FCGDAEB"
_MODES = {
    "": ("major", 0), "maj": ("major", 0), "ion": ("major", 0), "m": ("minor", -3), "min": ("minor", -3),
    "aeo": ("minor", -3), "mix": ("mixolydian", -1), "dor": ("dorian", -2), "phr": ("phrygian", -4),
    "lyd": ("lydian", 1), "loc": ("locrian", -5),
}  # fmt: skip
_SUFFIXES = {"major": "", "minor": "m", "mixolydian": "mix", "dorian": "dor", "phrygian": "phr", "lydian": "lyd",
             "locrian": "loc"}  # fmt: skip
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_KEY = re.compile(r"([A-G])([#b♯♭]?)[ \t]*(?i:(maj|min|mix|dor|phr|lyd|loc|ion|aeo|m(?![a-z]))[a-z]*|)(?![a-z])")
_EXPLICIT = re.compile(r"(?<![A-Za-z=])(\^\^?|__?|=)([A-Ga-g])(?![A-Za-z])")
_ALTER = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0, "": 0}


@dataclass(frozen=True, slots=True)
class Signature:
    """A key: tonic, mode, the number of sharps (negative: flats), and what each of the seven letters is altered by."""

    tonic: str = "C"
    mode: str = "major"
    sharps: int = 0
    alters: tuple[int, ...] = (0,) * 7
    plain: bool = field(default=True, compare=False)

    @property
    def name(self) -> str:
        """The key as ABC spells it shortest (`G`, `Am`, `Ddor`)."""
        return self.tonic + _SUFFIXES[self.mode]


@cache
def parse_key(value: str) -> Signature | None:
    """The key that a `K:` field names; None where it names none (a clef alone, or something unknown).

    `HP` and `Hp` are the bagpipes' F and C sharp; `none` and an empty field are C. Explicit accidentals (`D =c ^g`)
    alter the signature, which is then not `plain`.
    """
    value = value.strip()
    match = _KEY.match(value)
    if value[:2].lower() == "hp":
        signature = _signature("D", "major", 2)
    elif not value or value[:4].lower() == "none":
        signature = _signature("C", "major", 0)
    elif match is None:
        accidentals = _EXPLICIT.match(value)
        if accidentals is None:
            return None
        signature = _signature("C", "major", 0)
    else:
        mode, shift = _MODES[(match[3] or "").lower()]
        tonic = match[1] + match[2].replace("♯", "#").replace("♭", "b")
        sharps = _FIFTHS[match[1]] + 7 * (tonic.count("#") - tonic.count("b")) + shift
        if abs(sharps) > 7:
            return None
        signature = _signature(tonic, mode, sharps)
    explicit = [] if value.startswith(("clef", "treble")) else _EXPLICIT.findall(value)
    if not explicit:
        return signature
    alters = list(signature.alters) if "exp" not in value.split() else [0] * 7
    for accidental, letter in explicit:
        alters[LETTERS.index(letter.upper())] = _ALTER[accidental]
    return Signature(signature.tonic, signature.mode, signature.sharps, tuple(alters), plain=False)


def _signature(tonic: str, mode: str, sharps: int) -> Signature:
    return Signature(tonic, mode, sharps, _alters(sharps))


@cache
def _alters(sharps: int) -> tuple[int, ...]:
    changed = _SHARPS[:sharps] if sharps >= 0 else _SHARPS[sharps:]
    sign = 1 if sharps >= 0 else -1
    return tuple(sign if letter in changed else 0 for letter in LETTERS)


@cache
def key_name(sharps: int, mode: str = "major") -> str:
    """The name of the key of `sharps` in `mode`, as ABC spells it. Raises KeyError for an unknown mode."""
    shift = next(shift for name, shift in _MODES.values() if name == mode) if mode in _SUFFIXES else _SUFFIXES[mode]
    fifths = sharps - int(shift)
    letter = "CGDAEBF"[fifths % 7]
    marks = (fifths - _FIFTHS[letter]) // 7
    return letter + ("#" * marks if marks > 0 else "b" * -marks) + _SUFFIXES[mode]


@dataclass(frozen=True, slots=True)
class Time:
    """A meter: its fraction, and `free` where there is none (`M:none`)."""

    numerator: int = 4
    denominator: int = 4
    free: bool = False

    @property
    def bar(self) -> int:
        """The length of a bar in ticks."""
        return WHOLE * self.numerator // self.denominator

    @property
    def unit(self) -> Fraction:
        """The unit length where no `L:` says otherwise, of a whole note."""
        return Fraction(1, 16) if not self.free and 4 * self.numerator < 3 * self.denominator else Fraction(1, 8)

    @property
    def compound(self) -> bool:
        """Whether its beats are dotted, so that a tuplet without a number fills three units."""
        return self.numerator in (6, 9, 12)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


_METER = re.compile(r"\(?(\d{1,4}(?:\s*\+\s*\d{1,4})*)\)?\s*/\s*(\d{1,4})")


@cache
def parse_meter(value: str) -> Time | None:
    """The meter that an `M:` field names; None where it is unknown. `2+3/8` counts as 5/8."""
    value = value.strip()
    if value in ("C", "c"):
        return Time(4, 4)
    if value in ("C|", "c|"):
        return Time(2, 2)
    if not value or value.lower() == "none":
        return Time(free=True)
    match = _METER.match(value)
    if match is None:
        return None
    numerator, denominator = sum(int(part) for part in match[1].split("+")), int(match[2])
    if not 0 < numerator <= 64 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        return None
    return Time(numerator, denominator)


def pitch(step: int, alter: int) -> int:
    """The MIDI number of a step altered by `alter` semitones."""
    return 12 * (step // 7) + _SEMITONES[step % 7] + alter


def fifth(step: int, alter: int) -> int:
    """The place of a note on the line of fifths: C is 0, G 1, F -1, F sharp 6, B flat -2."""
    return _FIFTHS[LETTERS[step % 7]] + 7 * alter


@cache
def step_name(step: int) -> str:
    """A step as ABC writes it: `C,` below `C` below `c` below `c'`."""
    octave, letter = step // 7, LETTERS[step % 7]
    return letter.lower() + "'" * (octave - 6) if octave >= 6 else letter + "," * (5 - octave)
