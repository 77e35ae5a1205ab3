"""Short pieces of our own, in the formats that a representation reads, to test plugins on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path

from composer import formats
from composer.api import Note, Part, RejectedPiece, Representation, Score, Source, Tempo

TUNES = (
    """X:1
T:First Snow
M:4/4
L:1/8
K:C
"C"E2G2 c2G2|"F"A2c2 "C"G4|"Dm"F2A2 "G"G2F2|"C"E2D2 C4|
"C"E2G2 c2G2|"F"A2cA "C"G2E2|"Dm"F2D2 "G"B,2D2|"C"C4 C4|]
""",
    """X:1
T:Five to the Ferry
R:jig
M:6/8
L:1/8
K:G
D|"G"GAB dBG|"C"e2c "G"d2B|"Am"cBA "D"AFD|"G"GBd g2d|
"C"ece "G"dBG|"Am"ABc "G"B2G|"D"FED DEF|"G"G3 G2|]
""",
    """X:1
T:Two at the Table
M:3/4
L:1/4
K:Am
V:1
A2B|c2A|B2G|A3|c2d|e2c|B2^G|A3|]
V:2
A,3|A,2E|E3|A,3|A,3|A,2E|E3|A,3|]
""",
)
"""Tunes in ABC: a melody with chords, a jig with a pickup, and two voices in minor."""

TEXTS = (
    "The kettle hums, the window clears,\nthe street below is wet with light;\na bicycle goes by, and bears\n"
    "the morning paper out of sight.\n",
    "Who left the gate ajar again?\nThe goat has seen it, so has the hen.\nThey walk the lane in single file\n"
    "and will be gone for quite a while.\n",
    "Count the apples, count the pears,\ncount the shoes upon the stairs;\nnumber every cloud you see,\n"
    "and bring the list back home to me.\n",
)

KICK, SNARE, HI_HAT = 36, 38, 42
_PREFERRED = (("abc", "musicxml", "midi"), ("midi", "abc", "musicxml"), ("musicxml", "midi", "abc"))
"""The formats of each tune, the first of them that a representation reads."""


def sample_pieces(kind: type[Representation]) -> list[Source]:
    """Return files that `kind` reads, with music if it can be; empty if none of its formats is known here."""
    music = [each.name for each in formats.FORMATS.values() if each.write and set(each.suffixes) & set(kind.suffixes)]
    if music:
        return list(_music(music))
    if ".txt" in kind.suffixes:
        return [_source(f"sample-{number}.txt", text.encode()) for number, text in enumerate(TEXTS, 1)]
    return []


def _music(known: list[str]) -> Iterator[Source]:
    """Yield the tunes, and drums if there is a format for them."""
    numbers = count(1)
    for tune, preferred in zip(TUNES, _PREFERRED, strict=True):
        name = next(each for each in preferred if each in known)
        data = tune.encode() if name == "abc" else formats.write(name, _score(tune))
        yield _source(f"sample-{next(numbers)}{formats.FORMATS[name].suffixes[0]}", data)
    if "midi" in known:
        yield _source(f"sample-{next(numbers)}.mid", formats.write("midi", _drums()))


def _score(tune: str) -> Score:
    read = formats.FORMATS["abc"].read
    assert read is not None
    _, score = next(iter(read(_source("sample.abc", tune.encode()))))
    assert not isinstance(score, RejectedPiece)
    return score


def _drums(bars: int = 4) -> Score:
    """Return a drum beat under a bass, with accents."""
    half = Fraction(1, 2)
    beats = [(half * number, KICK if number % 4 == 0 else SNARE if number % 4 == 2 else HI_HAT) for number in range(8)]
    drums = tuple(
        Note(4 * bar + onset, pitch, half, 100 if onset % 2 == 0 else 60)
        for bar in range(bars)
        for onset, pitch in beats
    )
    bass = tuple(Note(Fraction(2 * number), 36 + 2 * (number % 3), Fraction(2), 90) for number in range(2 * bars))
    return Score((Part(bass, "Bass", 33), Part(drums, "Drums", percussion=True)), tempos=(Tempo(Fraction(0), 96.0),))


def _source(name: str, data: bytes) -> Source:
    return Source(Path(name), name=name, data=data)
