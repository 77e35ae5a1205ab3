"""Pitch ranges and scales as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError, Unsatisfiable
from composer.music.scales import (
    SCALES,
    Range,
    key_of,
    parse_range,
    parse_scale,
    pitch_name,
    pitches_of,
)


@given(st.integers(0, 127))
def test_pitch_names_and_numbers_are_parsed(pitch):
    assert parse_range(f"{pitch_name(pitch)}-{pitch}").low == parse_range(f"{pitch}-{pitch}").low == pitch


@pytest.mark.parametrize(("text", "ends"), [("48-84", (48, 84)), ("Bb3-f5", (58, 77)), ("C-1 - G9", (0, 127))])
def test_ranges(text, ends):
    found = parse_range(text)
    assert (found.low, found.high) == ends
    assert found.low in found
    assert found.high + 1 not in found


@pytest.mark.parametrize("text", ["60", "84-48", "60-128", "-5-20", "C3-H4", ""])
def test_invalid_ranges(text):
    with pytest.raises(OptionError, match="invalid pitch range"):
        parse_range(text)


@pytest.mark.parametrize(
    ("scale", "key", "name"),
    [
        ("D dorian", "", "D dorian"),
        ("Ddor", "", "D dorian"),
        ("Bb Major", "", "Bb major"),
        ("F# harmonic minor", "", "F# harmonic minor"),
        ("A m", "", "A minor"),
        ("dorian", "D", "D dorian"),
        ("blues", "Am", "A blues"),
        ("D dorian", "Dm", "D dorian"),
        ("", "G", "G major"),
        ("", "Emix", "E mixolydian"),
        ("", "g", "G major"),
        ("", "bb", "Bb major"),
        ("", "bm", "B minor"),
        ("", "b minor", "B minor"),
        ("", "bbm", "Bb minor"),
        ("ddor", "", "D dorian"),
        ("b blues", "", "B blues"),
        ("bb blues", "", "Bb blues"),
        ("blues", "b", "B blues"),
    ],
)
def test_scales(scale, key, name):
    assert str(parse_scale(scale, key)) == name


@pytest.mark.parametrize(
    ("scale", "key", "name"),
    [
        ("", "D", "D"),
        ("", "bb", "Bb"),
        ("D dorian", "", "Ddor"),
        ("mixolydian", "Am", "Amix"),
        ("A harmonic minor", "", "Am"),
        ("pentatonic", "G", "G"),
        ("blues", "G", "G"),
        ("G blues", "", None),
        ("G# pentatonic", "", None),
        ("", "", None),
    ],
)
def test_key_of_a_scale(scale, key, name):
    found = key_of(scale, key)
    assert (found and found.name) == name


def test_errors_quote_the_value():
    with pytest.raises(OptionError, match="unknown scale 'C4'"):
        parse_scale("C4")
    with pytest.raises(OptionError, match="range: '83-62'") as error:
        parse_range("83-62")
    assert error.value.hint == "use 62-83, with the lower note first"


def test_the_notes_of_a_scale():
    dorian = parse_scale("D dorian")
    assert [pitch for pitch in range(60, 72) if pitch in dorian] == [60, 62, 64, 65, 67, 69, 71]
    assert parse_scale() is None
    assert all(0 in steps for steps in SCALES.values())


@pytest.mark.parametrize(
    ("scale", "key", "words"),
    [
        ("dorian", "", "no tonic"),
        ("bebop", "", "unknown scale 'bebop'"),
        ("", "H", "unknown key 'H'"),
        ("", "none", "unknown key 'none'"),
        ("", "G#", "unknown key 'G#'"),
    ],
)
def test_unknown_scales(scale, key, words):
    with pytest.raises(OptionError, match=words):
        parse_scale(scale, key)


def test_two_tonics_contradict():
    with pytest.raises(Unsatisfiable, match="--scale 'E dorian' contradicts --key D"):
        parse_scale("E dorian", "D")


def test_pitches_in_a_range_and_a_scale():
    assert pitches_of(range(48, 85), parse_range("C4-G4"), parse_scale("", "C")) == (60, 62, 64, 65, 67)
    with pytest.raises(Unsatisfiable, match="--range 61-61 has no note of C major"):
        pitches_of(range(48, 85), Range(61, 61, "61-61"), parse_scale("", "C"))
    with pytest.raises(Unsatisfiable, match=r"--range 20-30 has none of the model's pitches \(48-84\)"):
        pitches_of(range(48, 85), parse_range("20-30"), None)
    with pytest.raises(Unsatisfiable, match=r"none of the model's pitches \(61-63\) is in C major"):
        pitches_of([61, 63], parse_range("20-80"), parse_scale("", "C"))
