"""Chord symbols such as `Am` or `G7/B`: root, kind, bass and pitches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

BASS_FROM = 36
"""The bass lies in the octave above this pitch."""
CHORD_FROM = 48
"""The chord lies in the octave above this pitch, below most melodies."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: `root` and `bass` are note names (`F#`, `Bb`), `kind` is the quality in MusicXML's words."""

    root: str
    kind: str
    bass: str

    @property
    def classes(self) -> tuple[int, ...]:
        """The pitch classes of the chord without its bass, root first."""
        return tuple((_pitch_class(self.root) + interval) % 12 for interval in KINDS[self.kind][0])

    @property
    def symbol(self) -> str:
        """The most common spelling (`F#m7/E`)."""
        spelling = KINDS[self.kind][1].split(" ")[0]
        return f"{self.root}{spelling}" + (f"/{self.bass}" if self.bass != self.root else "")


def parse(symbol: str) -> Chord | None:
    """Parse a chord symbol; None for other text and unknown chords.

    The spellings of the Nottingham collection work too: `Cd` (diminished), `Ca` (augmented), and a bass in lower case
    with `+` for sharp (`D/f+`).
    """
    match = _SYMBOL.fullmatch(symbol.strip().removeprefix("(").removesuffix(")"))
    if match is None or match["quality"] not in _QUALITIES:
        return None
    root = match["root"] + _ACCIDENTALS[match["alter"]]
    bass = match["bass"].upper() + _ACCIDENTALS[match["bass_alter"]] if match["bass"] else root
    return Chord(root, _QUALITIES[match["quality"]], bass)


@cache
def pitches(symbol: str) -> tuple[int, ...]:
    """Return the MIDI numbers of a chord symbol, bass first, ascending; empty for an unknown chord."""
    chord = parse(symbol)
    if chord is None:
        return ()
    bass = BASS_FROM + (_pitch_class(chord.bass) - BASS_FROM) % 12
    return (bass, *sorted(CHORD_FROM + (note - CHORD_FROM) % 12 for note in set(chord.classes)))


def _pitch_class(name: str) -> int:
    """Return the pitch class of a note name, as `composer.music.keys.pitch_class` does."""
    return (_NATURALS[name[0]] + name.count("#") - name.count("b")) % 12


_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_ACCIDENTALS = {"": "", "#": "#", "+": "#", "♯": "#", "b": "b", "-": "b", "♭": "b"}

KINDS: dict[str, tuple[tuple[int, ...], str]] = {
    "major": ((0, 4, 7), " M maj major"),
    "minor": ((0, 3, 7), "m min minor -"),
    "dominant": ((0, 4, 7, 10), "7 dom7"),
    "major-seventh": ((0, 4, 7, 11), "maj7 M7 ma7 Maj7 Δ"),
    "minor-seventh": ((0, 3, 7, 10), "m7 min7 -7"),
    "major-minor": ((0, 3, 7, 11), "mM7 mmaj7 m(maj7)"),
    "diminished": ((0, 3, 6), "dim d ° o"),
    "diminished-seventh": ((0, 3, 6, 9), "dim7 d7 °7 o7"),
    "half-diminished": ((0, 3, 6, 10), "m7b5 min7b5 ø ø7"),
    "augmented": ((0, 4, 8), "aug a + #5"),
    "augmented-seventh": ((0, 4, 8, 10), "aug7 a7 +7 7#5 7+"),
    "suspended-second": ((0, 2, 7), "sus2"),
    "suspended-fourth": ((0, 5, 7), "sus4 sus 4"),
    "suspended-fourth-seventh": ((0, 5, 7, 10), "7sus4 7sus"),
    "major-sixth": ((0, 4, 7, 9), "6 maj6 M6"),
    "minor-sixth": ((0, 3, 7, 9), "m6 min6"),
    "dominant-ninth": ((0, 4, 7, 10, 2), "9 7add9"),
    "major-ninth": ((0, 4, 7, 11, 2), "maj9 M9"),
    "minor-ninth": ((0, 3, 7, 10, 2), "m9 min9"),
    "flat-ninth": ((0, 4, 7, 10, 1), "7b9"),
    "dominant-11th": ((0, 7, 10, 2, 5), "11"),
    "dominant-13th": ((0, 4, 10, 2, 9), "13"),
    "added-ninth": ((0, 4, 7, 2), "add9 add2 2"),
    "power": ((0, 7), "5"),
}
"""Each kind's intervals above the root, in semitones, and its spellings."""

MUSIC21 = {"dominant": "dominant-seventh", "flat-ninth": "dominant-seventh", "added-ninth": "major"}
"""The kinds that music21 names differently, or lacks, with the nearest that it has."""

_QUALITIES = {spelling: kind for kind, (_, spellings) in KINDS.items() for spelling in spellings.split(" ")}

_SYMBOL = re.compile(
    r"(?P<root>[A-G])(?P<alter>[#b♯♭]?)(?P<quality>[^/\s]*)(?:/(?P<bass>[A-Ga-g])(?P<bass_alter>[#b+♯♭-]?))?"
)
