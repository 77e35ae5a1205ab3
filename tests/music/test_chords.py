"""Chord symbols: names and pitches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.music.chords import BASS_FROM, CHORD_FROM, Chord, parse, pitches

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def spelled(symbol: str) -> str:
    """The notes of `symbol`: the bass, then the chord sorted by name."""
    bass, *others = (NAMES[pitch % 12] for pitch in pitches(symbol))
    return " ".join([bass, "|", *sorted(others)])


@pytest.mark.parametrize(
    ("symbol", "notes"),
    [
        ("C", "C | C E G"),
        ("Gm", "G | A# D G"),
        ("E7", "E | B D E G#"),
        ("Fmaj7", "F | A C E F"),
        ("Bbm7", "A# | A# C# F G#"),
        ("Cdim", "C | C D# F#"),
        ("Caug", "C | C E G#"),
        ("Dsus4", "D | A D G"),
        ("G6", "G | B D E G"),
        ("A9", "A | A B C# E G"),
        ("C/E", "E | C E G"),
        ("D/C", "C | A D F#"),
    ],
)
def test_common_chords(symbol, notes):
    assert spelled(symbol) == notes


@pytest.mark.parametrize(
    ("symbol", "chord"),
    [
        ("C/e", Chord("C", "major", "E")),
        ("Cd", Chord("C", "diminished", "C")),
        ("Ca", Chord("C", "augmented", "C")),
        ("F#d", Chord("F#", "diminished", "F#")),
        ("D/f+", Chord("D", "major", "F#")),
        ("Gm/bb", Chord("G", "minor", "Bb")),
        ("Bb", Chord("Bb", "major", "Bb")),
        ("E7b9", Chord("E", "flat-ninth", "E")),
        ("(A7)", Chord("A", "dominant", "A")),
    ],
)
def test_nottingham_spellings(symbol, chord):
    assert parse(symbol) == chord


@pytest.mark.parametrize("symbol", ["", "Fine", "D.C.", "last time", "H", "Cxyz", "C/h", "/", "(", "N.C."])
def test_other_text_and_unknown_chords_have_no_pitches(symbol):
    assert parse(symbol) is None
    assert pitches(symbol) == ()


@given(st.text(max_size=12) | st.from_regex(r"[A-G][#b]?[a-z0-9]{0,4}(/[A-Ga-g][#b+]?)?", fullmatch=True))
def test_pitches_stay_in_their_octaves(symbol):
    sounding = pitches(symbol)
    assert list(sounding) == sorted(set(sounding))
    if sounding:
        bass, *chord = sounding
        assert BASS_FROM <= bass < BASS_FROM + 12
        assert chord
        assert all(CHORD_FROM <= pitch < CHORD_FROM + 12 for pitch in chord)
