"""Chord symbols such as `Am` or `G7/B`: root, kind, further degrees, bass and pitches as MIDI numbers.

They are defined in `composer.api.chords`, since a score knows whether its chord symbols sound.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import ChordSymbol
from composer.api.chords import (
    BASS_FROM,
    CHORD_FROM,
    KINDS,
    MUSIC21,
    NO_CHORD,
    Chord,
    Degree,
    is_no_chord,
    named,
    own_interval,
    parse,
    pitches,
    resembles_chord,
)

__all__ = [
    "BASS_FROM",
    "CHORD_FROM",
    "KINDS",
    "MUSIC21",
    "MUSICXML_KINDS",
    "NO_CHORD",
    "Chord",
    "Degree",
    "WrittenDegree",
    "ends_of_chords",
    "is_no_chord",
    "named",
    "own_alteration",
    "own_interval",
    "parse",
    "pitches",
    "resembles_chord",
    "written_kind",
]


_Degrees = tuple[Degree, ...]

_EXTENDED: dict[str, tuple[str, _Degrees]] = {
    "minor-11th": ("minor-ninth", ((11, 0),)), "minor-13th": ("minor-ninth", ((13, 0),)),
    "major-11th": ("major-ninth", ((11, 0),)), "major-13th": ("major-ninth", ((13, 0),)),
}  # fmt: skip
"""Kinds of MusicXML that are a kind with degrees here."""
MUSICXML_KINDS: dict[str, tuple[str, _Degrees]] = {
    **{kind: (kind, ()) for kind in KINDS}, **_EXTENDED,
    "dominant-seventh": ("dominant", ()), "minor-major": ("major-minor", ()), "maj69": ("major-sixth", ((9, 0),)),
}  # fmt: skip
"""All kinds that are read, with names that only some programs write."""

_UNNAMED: dict[str, tuple[str, Degree]] = {
    "flat-ninth": ("dominant", (9, -1)),
    "added-ninth": ("major", (9, 0)),
    "suspended-fourth-seventh": ("suspended-fourth", (7, 0)),
}
"""Kinds that MusicXML has no name for, as another kind and a degree."""

_SEVENTH = 7
_OF_DOMINANT = {5: 7, _SEVENTH: 10}
"""The fifth and the seventh of a dominant, in semitones above the root."""
_HIGHEST = {"ninth": 9, "11th": 11, "13th": 13}
"""The highest degree of a kind, by the last part of its name."""


def ends_of_chords(symbols: Sequence[ChordSymbol], end: Fraction) -> list[Fraction]:
    """Return the beats before `end` at which a known chord ends and no other one begins, ascending."""
    ordered = sorted(each for each in symbols if parse(each.symbol) is not None)
    following = [*(each.onset for each in ordered[1:]), end]
    ends = ((each.onset + each.duration, after) for each, after in zip(ordered, following, strict=False))
    return [at for at, after in ends if at < after]


class WrittenDegree(NamedTuple):
    """A degree of a chord in MusicXML: its value, alteration and type, `add` or `alter`."""

    value: int
    alter: int
    type: str


def written_kind(chord: Chord) -> tuple[str, list[WrittenDegree]]:
    """Return the kind of a chord in MusicXML, and the degrees that it lacks."""
    kind, left = chord.kind, list(chord.degrees)
    if kind in _UNNAMED:
        kind, degree = _UNNAMED[kind]
        left = sorted([*left, degree])
    for name, (base, degrees) in _EXTENDED.items():
        if base == kind and set(degrees) <= set(left):
            kind, left = name, [each for each in left if each not in degrees]
            break
    found = list[WrittenDegree]()
    for value, alter in left:
        own = own_alteration(kind, value)
        if own is None or any(each.value == value for each in found):
            found.append(WrittenDegree(value, alter, "add"))
        else:
            found.append(WrittenDegree(value, alter - own, "alter"))
    return kind, found


def own_alteration(kind: str, number: int) -> int | None:
    """Return the alteration of a degree that a kind of MusicXML has itself, as in `Degree`; None if it lacks it."""
    if number in _OF_DOMINANT:
        interval = own_interval(MUSICXML_KINDS[kind][0], number)
        return None if interval is None else interval - _OF_DOMINANT[number]
    highest = _HIGHEST.get(kind.rpartition("-")[2], 0)
    return 0 if _SEVENTH < number <= highest else None
