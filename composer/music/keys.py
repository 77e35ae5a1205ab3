"""Keys, modes and meters as ABC spells them, and the pitches of notes by letter and accidental.

A note is a step (`d`) and an alteration in semitones. Step 0 is the C of MIDI number 0 and each octave has seven
steps, so `C` (middle C) is step 35 and `c` is step 42.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

__all__ = [
    "BEAT",
    "LETTERS",
    "MAJOR_SCALE",
    "MIDDLE_C",
    "MODES",
    "MODE_ALIASES",
    "MODE_FIFTHS",
    "WHOLE",
    "Signature",
    "Time",
    "fifth",
    "has_minor_third",
    "key_name",
    "key_names",
    "name_of_fifth",
    "parse_key",
    "parse_meter",
    "pitch",
    "pitch_class",
    "spell_in_key",
    "step_name",
]

MIDDLE_C = 35
WHOLE = 161_280
"""Ticks in a whole note; makes all lengths down to 1/512 and tuplets of 3, 5, 6, 7 and 9 whole."""
BEAT = WHOLE // 4

LETTERS = "CDEFGAB"
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
"""Semitones of the major scale above its tonic, thus of LETTERS above C."""

MODES: Mapping[str, str] = {
    "major": "", "minor": "m", "mixolydian": "mix", "dorian": "dor", "phrygian": "phr", "lydian": "lyd",
    "locrian": "loc",
}  # fmt: skip
"""The seven modes and the suffix that ABC adds to the tonic."""

MODE_ALIASES: Mapping[str, str] = {"ionian": "major", "aeolian": "minor"}

MODE_FIFTHS: Mapping[str, int] = {
    "lydian": -1, "major": 0, "ionian": 0, "mixolydian": 1, "dorian": 2, "minor": 3, "aeolian": 3, "phrygian": 4,
    "locrian": 5,
}  # fmt: skip
"""How many fifths the tonic of a mode lies above that of the major key with the same signature."""

_BY_PREFIX = {name[:3]: MODE_ALIASES.get(name, name) for name in (*MODES, *MODE_ALIASES)} | {"": "major", "m": "minor"}
_FIFTHS = "FCGDAEB"
"""The letters along the line of fifths, from -1."""
_KEY = re.compile(r"([A-G])([#b♯♭]?)[ \t]*(?i:(maj|min|mix|dor|phr|lyd|loc|ion|aeo|m(?![a-z]))[a-z]*|)(?![a-z])")
_EXPLICIT = re.compile(r"(\^\^?|__?|=)([A-Ga-g])")
_RUN = re.compile(r"(?:(?<=\s)|(?<=exp)|^)((?:(?:\^\^?|__?|=)[A-Ga-g])+)(?![A-Za-z])")
"""Accidentals of a key, with or without spaces between them; not those of `clef=bass` and `middle=d`."""
_ONLY_EXPLICIT = re.compile(r"(?<!\S)exp(?![A-Za-z])")
_ALTER = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0, "": 0}


@dataclass(frozen=True, slots=True)
class Signature:
    """A key: tonic, mode, sharps (negative: flats), alteration per letter; `plain` without extra accidentals."""

    tonic: str = "C"
    mode: str = "major"
    sharps: int = 0
    alters: tuple[int, ...] = (0,) * 7
    plain: bool = field(default=True, compare=False)

    @property
    def name(self) -> str:
        """The shortest ABC spelling (`G`, `Am`, `Ddor`)."""
        return self.tonic + MODES[self.mode]


@cache
def parse_key(value: str) -> Signature | None:
    """Return the key of a `K:` field, or None for a clef alone or an unknown key.

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
        if not _RUN.search(value):
            return None
        signature = _signature("C", "major", 0)
    else:
        mode = _BY_PREFIX[(match[3] or "").lower()]
        tonic = match[1] + match[2].replace("♯", "#").replace("♭", "b")
        sharps = fifth(LETTERS.index(match[1]), tonic.count("#") - tonic.count("b")) - MODE_FIFTHS[mode]
        if abs(sharps) > 7:
            return None
        signature = _signature(tonic, mode, sharps)
    rest = value[match.end() :] if match is not None else value
    runs = [] if value.startswith(("clef", "treble")) else _RUN.findall(rest)
    explicit = [pair for run in runs for pair in _EXPLICIT.findall(run)]
    if not explicit:
        return signature
    alters = list(signature.alters) if not _ONLY_EXPLICIT.search(value) else [0] * 7
    for accidental, letter in explicit:
        alters[LETTERS.index(letter.upper())] = _ALTER[accidental]
    return Signature(signature.tonic, signature.mode, signature.sharps, tuple(alters), plain=False)


def _signature(tonic: str, mode: str, sharps: int) -> Signature:
    return Signature(tonic, mode, sharps, _alters(sharps))


@cache
def _alters(sharps: int) -> tuple[int, ...]:
    changed = _FIFTHS[:sharps] if sharps >= 0 else _FIFTHS[sharps:]
    sign = 1 if sharps >= 0 else -1
    return tuple(sign if letter in changed else 0 for letter in LETTERS)


@cache
def key_name(sharps: int, mode: str = "major") -> str:
    """Return the ABC name of the key with `sharps` in `mode`. Raises KeyError for an unknown mode."""
    return name_of_fifth(sharps + MODE_FIFTHS[mode]) + MODES[mode]


def key_names() -> list[str]:
    """Return the shortest ABC spelling of every key with up to seven sharps or flats, major keys first."""
    return [key_name(sharps, mode) for mode in MODES for sharps in range(-7, 8)]


def has_minor_third(mode: str) -> bool:
    """Return whether the third above the tonic is minor; False for an unknown mode."""
    return MODE_FIFTHS.get(mode, 0) >= MODE_FIFTHS["dorian"]


@dataclass(frozen=True, slots=True)
class Time:
    """A meter; `free` if there is none (`M:none`)."""

    numerator: int = 4
    denominator: int = 4
    free: bool = False

    @property
    def bar(self) -> int:
        """Ticks in a bar."""
        return WHOLE * self.numerator // self.denominator

    @property
    def unit(self) -> Fraction:
        """The default of `L:` as a fraction of a whole note."""
        return Fraction(1, 16) if not self.free and 4 * self.numerator < 3 * self.denominator else Fraction(1, 8)

    @property
    def compound(self) -> bool:
        """Whether beats are dotted, so that tuplets without a number fill three units."""
        return self.numerator in (6, 9, 12)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


_METER = re.compile(r"\(?(\d{1,4}(?:\s*\+\s*\d{1,4})*)\)?\s*/\s*(\d{1,4})")


@cache
def parse_meter(value: str) -> Time | None:
    """Return the meter of an `M:` field, or None if it is unknown. `2+3/8` is 5/8."""
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
    """Return the MIDI number of a step altered by `alter` semitones."""
    return 12 * (step // 7) + MAJOR_SCALE[step % 7] + alter


def pitch_class(name: str) -> int:
    """Return the pitch class, 0 to 11, of a note name such as `F#`."""
    return (MAJOR_SCALE[LETTERS.index(name[0])] + name.count("#") - name.count("b")) % 12


def fifth(step: int, alter: int) -> int:
    """Return the position of a note on the line of fifths: C is 0, G 1, F -1, F sharp 6, B flat -2."""
    return _FIFTHS.index(LETTERS[step % 7]) - 1 + 7 * alter


def name_of_fifth(fifth: int, sharp: str = "#", flat: str = "b") -> str:
    """Return the name of the note at a position on the line of fifths."""
    alter = (fifth + 1) // 7
    return _FIFTHS[(fifth + 1) % 7] + sharp * alter + flat * -alter


def spell_in_key(pitch: int, sharps: int) -> tuple[int, int]:
    """Return the position on the line of fifths and the octave of a MIDI number in a key of `sharps`.

    The notes of a key have the positions `sharps - 1` to `sharps + 5`; the other five come from both sides.
    """
    fifth = (7 * pitch - (sharps - 3)) % 12 + sharps - 3
    return fifth, (pitch - (fifth + 1) // 7) // 12 - 1


@cache
def step_name(step: int) -> str:
    """Return a step as ABC writes it: `C,` below `C` below `c` below `c'`."""
    octave, letter = step // 7, LETTERS[step % 7]
    return letter.lower() + "'" * (octave - 6) if octave >= 6 else letter + "," * (5 - octave)
