"""Chord symbols: names and pitches."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.music.chords import (
    BASS_FROM,
    CHORD_FROM,
    KINDS,
    Chord,
    is_no_chord,
    named,
    parse,
    pitches,
    resembles_chord,
)

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
        ("C6/9", "C | A C D E G"),
        ("C6/9/E", "E | A C D E G"),
        ("Cm69", "C | A C D D# G"),
        ("Bbmaj9#11", "A# | A A# C D E F"),
        ("A7(b9)", "A | A A# C# E G"),
        ("C7alt", "C | A# C C# D# E F# G#"),
        ("C7#9", "C | A# C D# E G"),
        ("Cm(maj7)", "C | B C D# G"),
        ("FΔ7", "F | A C E F"),
        ("Bb7(#11)", "A# | A# D E F G#"),
        ("C7(b9, #11)", "C | A# C C# E F# G"),
        ("C7(b9/#11)", "C | A# C C# E F# G"),
        ("C7b9b13", "C | A# C C# E G G#"),
        ("C13b9", "C | A A# C C# E"),
        ("Cmaj7#5", "C | B C E G#"),
        ("C9sus4", "C | A# C D F G"),
        ("Cm11", "C | A# C D D# F G"),
        ("Cmadd9", "C | C D D# G"),
        ("C7-9", "C | A# C C# E G"),
        ("C-9", "C | A# C D D# G"),
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


@pytest.mark.parametrize(
    ("symbol", "usual"),
    [
        ("C6/9", "C69"),
        ("C7(b9)", "C7b9"),
        ("Cm7(b5)/Gb", "Cm7b5/Gb"),
        ("Cmaj7(9)", "Cmaj9"),
        ("C(add6)", "C6"),
        ("C7(13,9)", "C9add13"),
        ("C+7(b9)", "C7b9#5"),
        ("C#5", "C#5"),
        ("CM#5", "Caug"),
        ("C(maj7)", "Cmaj7"),
        ("Calt", "C7alt"),
        ("C7b9#11b13", "C7b9(#11b13)"),
        ("Cmaj13#11", "Cmaj13(#11)"),
        ("C(b5)", "Cmajb5"),
        ("F#(#11)", "F#add#11"),
        ("Bb(b9)", "Bbaddb9"),
        ("C(#9,#11)", "C(#9#11)"),
        ("Cm9(maj7)", "CmM9"),
        ("C7b9(maj7)", "Cmaj7b9"),
        ("C13(maj7)", "C13maj7"),
    ],
)
def test_usual_spelling(symbol, usual):
    chord = parse(symbol)
    assert chord is not None
    assert chord.symbol == usual
    assert parse(usual) == chord


DEGREES = [(5, -1), (5, 1), (7, 1), *product((9, 11, 13), (-1, 0, 1))]


@pytest.mark.parametrize("root", ["C", "F#", "Bb", "Eb"])
def test_usual_spelling_of_any_kind_and_degrees_keeps_root_and_notes(root):
    for kind in KINDS:
        for degrees in (each for count in range(4) for each in combinations(DEGREES, count)):
            chord = named(root, kind, degrees, root)
            assert parse(chord.symbol) == chord, (chord, chord.symbol)


@pytest.mark.parametrize(
    ("symbol", "intervals"),
    [
        ("Cm9(maj7)", {0, 3, 7, 11, 2}),
        ("Cm11(maj7)", {0, 3, 7, 11, 2, 5}),
        ("C9(maj7)", {0, 4, 7, 11, 2}),
        ("C11(maj7)", {0, 7, 11, 2, 5}),
        ("C13(maj7)", {0, 4, 11, 2, 9}),
        ("Cm7b5(maj7)", {0, 3, 6, 11}),
        ("Cdim7(maj7)", {0, 3, 6, 11}),
        ("C7sus4(maj7)", {0, 5, 7, 11}),
        ("C6(maj7)", {0, 4, 7, 9, 11}),
        ("Cm13(maj7)", {0, 3, 7, 11, 2, 9}),
    ],
)
def test_a_major_seventh_replaces_another_one(symbol, intervals):
    chord = parse(symbol)
    assert chord is not None
    assert set(chord.intervals) == intervals


@pytest.mark.parametrize("kind", ["minor-ninth", "diminished-seventh", "dominant-13th", "dominant"])
def test_a_major_seventh_replaces_that_of_the_kind_itself(kind):
    intervals = Chord("C", kind, "C", ((7, 1),)).intervals
    assert set(intervals) == {*KINDS[kind][0], 11} - {9 if kind == "diminished-seventh" else 10}


@given(
    st.sampled_from(["C", "F#", "Bb", "Eb"]),
    st.sampled_from([spelling for _, spellings in KINDS.values() for spelling in spellings.split(" ")]),
    st.lists(st.sampled_from(["b5", "#5", "b9", "#9", "#11", "b13", "add9", "add13", "maj7"]), max_size=4),
)
def test_usual_spelling_means_the_same(root, quality, degrees):
    degrees = f"({','.join(degrees)})" if degrees else ""
    text = f"{root}({quality}){degrees}" if quality[:1] == "#" else f"{root}{quality}{degrees}"
    chord = parse(text)
    assert chord is not None
    assert chord.root == root
    assert parse(chord.symbol) == chord


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "C(7)",
        "C(9)",
        "C7(b)",
        "C713",
        "C7()",
        "C7b9x",
        "C+9",
        "Fine",
        "D.C.",
        "last time",
        "H",
        "Cxyz",
        "C/h",
        "/",
        "(",
        "N.C.",
    ],
)
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


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [("H7", True), ("C(7)", True), ("Dalt7", True), ("H", False), ("Fine", False), ("dolce", False)],
)
def test_unknown_chords_and_other_texts(text, is_meant):
    assert resembles_chord(text) is is_meant


@pytest.mark.parametrize(("text", "says_so"), [("N.C.", True), ("NC", True), ("(N. C.)", True), ("Nc x", False)])
def test_marks_of_no_chord(text, says_so):
    assert is_no_chord(text) is says_so
