"""Chord symbols such as `Am`, `G7/B` or `C7(b9)`: root, kind, further degrees, bass and pitches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

BASS_FROM = 36
"""The bass lies in the octave above this pitch."""
CHORD_FROM = 48
"""The chord lies in the octave above this pitch, below most melodies."""

Degree = tuple[int, int]
"""A degree of a chord, such as 9 or 11, and its alteration from the dominant: (5, -1) is b5, (9, 0) a major ninth.

The dominant has major and perfect intervals above the root, but a minor seventh.
"""


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: `root` and `bass` are note names (`F#`, `Bb`), `kind` is the quality in MusicXML's words.

    `degrees` are notes that the kind lacks, ascending. They replace those of its fifth, seventh or ninth to thirteenth
    that have the same number.
    """

    root: str
    kind: str
    bass: str
    degrees: tuple[Degree, ...] = ()

    @property
    def intervals(self) -> tuple[int, ...]:
        """The intervals of the chord without its bass above its root, in semitones, the root first."""
        replaced = {own_interval(self.kind, number) for number, _ in self.degrees}
        kept = [interval for interval in KINDS[self.kind][0] if interval not in replaced]
        more = ((_INTERVALS[number] + alter) % 12 for number, alter in self.degrees)
        return tuple(dict.fromkeys((*kept, *more)))

    @property
    def classes(self) -> tuple[int, ...]:
        """The pitch classes of the chord without its bass, root first."""
        return tuple((_pitch_class(self.root) + interval) % 12 for interval in self.intervals)

    @property
    def quality(self) -> str:
        """The most common spelling without root and bass (`m7`, `69`, `7b9`).

        Degrees are in parentheses if it is too long for abc2midi, which does not play what is in parentheses. The sign
        of an altered degree never follows the root, where it would be one of the root: `C#11` is an 11th chord of C#.
        """
        base, degrees = KINDS[self.kind][1].split(" ")[0], set(self.degrees)
        own = [each for each in _COMPOSED if each[1] == self.kind and degrees.issuperset(each[2])]
        if own:
            base, _, named_by_base = max(own, key=lambda each: len(each[2]))
            degrees -= set(named_by_base)
        more = "".join(_spelled(*degree) for degree in sorted(degrees))
        sign = "" if base or more[:1] not in ("#", "b") else "maj" if min(degrees)[0] == _FIFTH else "add"
        plain = base + sign + more
        return plain if len(plain) <= _LONGEST_QUALITY or not more else f"{base}({more})"

    @property
    def symbol(self) -> str:
        """The most common spelling (`F#m7/E`)."""
        return f"{self.root}{self.quality}" + (f"/{self.bass}" if self.bass != self.root else "")


def parse(symbol: str) -> Chord | None:
    """Parse a chord symbol; None for other text and unknown chords.

    The spellings of the Nottingham collection work too: `Cd` (diminished), `Ca` (augmented), and a bass in lower case
    with `+` for sharp (`D/f+`).
    """
    plain = symbol.strip().removeprefix("(")
    if plain.count(")") > plain.count("("):
        plain = plain.removesuffix(")")
    plain = _IN_PARENTHESES.sub(lambda match: re.sub(r"[\s,/]+", ",", match[0]), plain)
    match = _SYMBOL.fullmatch(plain.replace("6/9", "69"))
    found = _read_quality(match["quality"]) if match is not None else None
    if match is None or found is None:
        return None
    root = match["root"] + _ACCIDENTALS[match["alter"]]
    bass = match["bass"].upper() + _ACCIDENTALS[match["bass_alter"]] if match["bass"] else root
    return named(root, *found, bass)


def named(root: str, kind: str, degrees: Iterable[Degree], bass: str) -> Chord:
    """Return the chord of a kind with more degrees, with as many of these as possible named by the kind.

    A dominant with a sharp fifth is an `augmented-seventh`, for example, and a minor seventh with a major one is
    `major-minor`.
    """
    left = {*degrees}
    while kind in _WITH_DEGREE:
        kind, degree = _WITH_DEGREE[kind]
        left.add(degree)
    if (_SEVENTH, 1) in left and kind in _WITHOUT_SEVENTH:
        kind, others = _WITHOUT_SEVENTH[kind]
        left.update(others)
    altered = {number for number, alter in left if alter}
    left = {(number, alter) for number, alter in left if alter or number not in altered}
    has_both_fifths = {(5, -1), (5, 1)} <= left
    for name, (base, degree) in _WITH_DEGREE.items():
        if base == kind and degree in left and not has_both_fifths:
            kind, left = name, left - {degree}
    return Chord(root, kind, bass, tuple(sorted(left)))


def is_no_chord(text: str) -> bool:
    """Return whether a text says that there is no chord, as `N.C.` does."""
    return _NO_CHORD.fullmatch(text.strip()) is not None


def resembles_chord(text: str) -> bool:
    """Return whether a text that is no known chord symbol seems to be meant as one: `Cmaj7x`, `G/dim` or `Hm`."""
    match = _CHORD_LIKE.fullmatch(text.strip())
    return match is not None and match[0] != "H"


@cache
def pitches(symbol: str) -> tuple[int, ...]:
    """Return the MIDI numbers of a chord symbol, bass first, ascending; empty for an unknown chord."""
    chord = parse(symbol)
    if chord is None:
        return ()
    bass = BASS_FROM + (_pitch_class(chord.bass) - BASS_FROM) % 12
    return (bass, *sorted(CHORD_FROM + (note - CHORD_FROM) % 12 for note in set(chord.classes)))


def own_interval(kind: str, number: int) -> int | None:
    """Return the interval in semitones of the fifth, seventh, ninth, 11th or 13th of a kind that a degree replaces.

    None if the kind has no such note.
    """
    own = {_FIFTH: (6, 7, 8), _SEVENTH: (10, 11)}.get(number, ())
    found = next((interval for interval in KINDS[kind][0] if interval in own), None)
    return _OTHER_DEGREES.get(kind, {}).get(number, found)


def _read_quality(text: str) -> tuple[str, tuple[Degree, ...]] | None:
    """Return the kind and degrees of what follows the root of a symbol; None if it is unknown."""
    for end in range(min(len(text), _LONGEST_SPELLING), -1, -1):
        base = _QUALITIES.get(text[:end])
        more = _read_degrees(text, end) if base is not None else None
        if base is not None and more is not None:
            return base[0], (*base[1], *more)
    return None


def _read_degrees(text: str, start: int) -> tuple[Degree, ...] | None:
    """Return the degrees after the first `start` characters of a quality, as in `b9#11`, `(b9,#11)` or `(add9)`.

    None if there is anything else.
    """
    if not _DEGREES.fullmatch(text, start):
        return None
    found: list[Degree] = []
    for alter, number in _DEGREE.findall(text, start):
        if not number:
            found.append((7, 1))
        else:
            found.append((_OCTAVE_ABOVE.get(int(number), int(number)), {"#": 1, "b": -1}.get(_ACCIDENTALS[alter], 0)))
    return tuple(found)


def _spelled(number: int, alter: int) -> str:
    return "maj7" if number == _SEVENTH else {0: "add", 1: "#", -1: "b"}[alter] + str(number)


def _pitch_class(name: str) -> int:
    """Return the pitch class of a note name, as `composer.music.keys.pitch_class` does."""
    return (_NATURALS[name[0]] + name.count("#") - name.count("b")) % 12


_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_ACCIDENTALS = {"": "", "#": "#", "+": "#", "♯": "#", "b": "b", "-": "b", "♭": "b"}

KINDS: dict[str, tuple[tuple[int, ...], str]] = {
    "major": ((0, 4, 7), " M maj major"),
    "minor": ((0, 3, 7), "m min minor - mi"),
    "dominant": ((0, 4, 7, 10), "7 dom7"),
    "major-seventh": ((0, 4, 7, 11), "maj7 M7 ma7 Maj7 Δ Δ7 △ △7 (maj7) j7"),
    "minor-seventh": ((0, 3, 7, 10), "m7 min7 -7 mi7"),
    "major-minor": ((0, 3, 7, 11), "mM7 mmaj7 m(maj7) mΔ mΔ7 m△ m△7 minmaj7 min(maj7) -maj7 -(maj7) -Δ -Δ7"),
    "diminished": ((0, 3, 6), "dim d ° o"),
    "diminished-seventh": ((0, 3, 6, 9), "dim7 d7 °7 o7"),
    "half-diminished": ((0, 3, 6, 10), "m7b5 min7b5 ø ø7"),
    "augmented": ((0, 4, 8), "aug a + #5"),
    "augmented-seventh": ((0, 4, 8, 10), "aug7 a7 +7 7#5 7+"),
    "suspended-second": ((0, 2, 7), "sus2"),
    "suspended-fourth": ((0, 5, 7), "sus4 sus 4"),
    "suspended-fourth-seventh": ((0, 5, 7, 10), "7sus4 7sus"),
    "major-sixth": ((0, 4, 7, 9), "6 maj6 M6"),
    "minor-sixth": ((0, 3, 7, 9), "m6 min6 -6 mi6"),
    "dominant-ninth": ((0, 4, 7, 10, 2), "9 7add9"),
    "major-ninth": ((0, 4, 7, 11, 2), "maj9 M9 Maj9 ma9 Δ9"),
    "minor-ninth": ((0, 3, 7, 10, 2), "m9 min9 -9 mi9"),
    "flat-ninth": ((0, 4, 7, 10, 1), "7b9"),
    "dominant-11th": ((0, 7, 10, 2, 5), "11"),
    "dominant-13th": ((0, 4, 10, 2, 9), "13"),
    "added-ninth": ((0, 4, 7, 2), "add9 add2 2"),
    "power": ((0, 7), "5"),
}
"""Each kind's intervals above the root, in semitones, and its spellings."""

MUSIC21 = {"dominant": "dominant-seventh", "flat-ninth": "dominant-seventh", "added-ninth": "major"}
"""The kinds that music21 names differently, or lacks, with the nearest that it has."""

_ALL_ALTERED: tuple[Degree, ...] = ((5, -1), (5, 1), (9, -1), (9, 1))

_COMPOSED_SPELLINGS: dict[str, tuple[str, tuple[Degree, ...]]] = {
    "69": ("major-sixth", ((9, 0),)),
    "m69 min69 -69": ("minor-sixth", ((9, 0),)),
    "mM9 m(maj9) mmaj9": ("major-minor", ((9, 0),)),
    "m11 min11 -11": ("minor-ninth", ((11, 0),)),
    "m13 min13 -13": ("minor-ninth", ((13, 0),)),
    "maj11 M11 Maj11": ("major-ninth", ((11, 0),)),
    "maj13 M13 Maj13": ("major-ninth", ((13, 0),)),
    "9sus4 9sus": ("suspended-fourth-seventh", ((9, 0),)),
    "13sus4 13sus": ("suspended-fourth-seventh", ((9, 0), (13, 0))),
    "7alt alt": ("dominant", _ALL_ALTERED),
}
"""Spellings of kinds with further degrees."""
_COMPOSED = [(spellings.split(" ")[0], *made) for spellings, made in _COMPOSED_SPELLINGS.items()]

_WITH_DEGREE: dict[str, tuple[str, Degree]] = {
    "major-seventh": ("major", (7, 1)),
    "major-minor": ("minor", (7, 1)),
    "major-ninth": ("major-seventh", (9, 0)),
    "minor-ninth": ("minor-seventh", (9, 0)),
    "dominant-ninth": ("dominant", (9, 0)),
    "augmented": ("major", (5, 1)),
    "diminished": ("minor", (5, -1)),
    "major-sixth": ("major", (13, 0)),
    "minor-sixth": ("minor", (13, 0)),
    "added-ninth": ("major", (9, 0)),
    "flat-ninth": ("dominant", (9, -1)),
    "augmented-seventh": ("dominant", (5, 1)),
    "half-diminished": ("minor-seventh", (5, -1)),
}
"""Kinds that are another with one degree more. The first one that fits names a chord."""

_WITHOUT_SEVENTH: dict[str, tuple[str, tuple[Degree, ...]]] = {
    "dominant": ("major", ()), "minor-seventh": ("minor", ()), "diminished-seventh": ("minor", ((5, -1),)),
    "suspended-fourth-seventh": ("suspended-fourth", ()),
}  # fmt: skip
"""Kinds with a seventh that a major one replaces, as another kind and its degrees without any."""

_FIFTH, _SEVENTH = 5, 7
_INTERVALS = {_FIFTH: 7, _SEVENTH: 10, 9: 2, 11: 5, 13: 9}
"""The degrees of a dominant, in semitones above the root."""
_OTHER_DEGREES = {
    "diminished-seventh": {_SEVENTH: 9}, "dominant-11th": {9: 2, 11: 5}, "dominant-13th": {9: 2, 13: 9},
}  # fmt: skip
"""A diminished seventh, and the degrees above the seventh of kinds that have several, in semitones above the root."""
_OCTAVE_ABOVE = {2: 9, 4: 11, 6: 13}
_LONGEST_QUALITY = 7
"""Characters that abc2midi allows after the root."""

_QUALITIES: dict[str, tuple[str, tuple[Degree, ...]]] = {
    **{spelling: (kind, ()) for kind, (_, spellings) in KINDS.items() for spelling in spellings.split(" ")},
    **{spelling: made for spellings, made in _COMPOSED_SPELLINGS.items() for spelling in spellings.split(" ")},
}
_LONGEST_SPELLING = max(map(len, _QUALITIES))

_NUMBER = r"(?:2|4|5|6|9|11|13)(?!\d)"
_ALTERED = rf"(?:add)?(?:[#b♯♭]|(?<=[\d(,])[+-]){_NUMBER}"
_ADDED = r"add(?:2|4|6|9|11|13)(?!\d)|(?:maj|M)7"
_DEGREES = re.compile(rf"(?:{_ALTERED}|{_ADDED}|\((?:(?:{_ALTERED}|{_ADDED}|(?:(?<=\d\()|(?<=,))(?:9|1[13])),?)+\))*")
_DEGREE = re.compile(r"(?:maj|M)7|([#b♯♭+-]?)(\d+)")

_SYMBOL = re.compile(
    r"(?P<root>[A-G])(?P<alter>[#b♯♭]?)(?P<quality>[^/\s]*)(?:/(?P<bass>[A-Ga-g])(?P<bass_alter>[#b+♯♭-]?))?"
)
_NO_CHORD = re.compile(r"\(?(?:N\.? ?C\.?|no chord)\)?", re.IGNORECASE)
NO_CHORD = "N.C."
"""The usual mark of music without a chord."""
_IN_PARENTHESES = re.compile(r"\([^()]*\)")
_CHORD_LIKE = re.compile(r"[A-H][#b♯♭]?(?:(?:m|M|maj|min|dim|aug|sus|add|alt|[0-9°øΔ△+(/-])\S{0,11})?")
