"""Chords for a melody: by the notes of each segment, the key, and which chords follow one another."""

import pytest

from composer.music.harmony import Segment, choose_chords
from composer.music.keys import parse_key


def bars(key, *contents):
    """Return a segment for each bar, whose notes are pitch classes of equal weight."""
    return [Segment(dict.fromkeys(content, 1.0), True, parse_key(key)) for content in contents]


def test_a_phrase_in_major():
    assert choose_chords(bars("C", (0, 4, 7), (5, 9, 0), (7, 11, 2), (0,))) == ["C", "F", "G7", "C"]


def test_a_phrase_in_minor():
    assert choose_chords(bars("Am", (9, 0, 4), (2, 5, 9), (4, 8, 11), (9,))) == ["Am", "Dm", "E7", "Am"]


@pytest.mark.parametrize(("key", "second"), [("Ador", "G"), ("Amix", "G")])
def test_modes_have_the_chord_below_the_tonic(key, second):
    assert choose_chords(bars(key, (9, 4), (7, 11, 2), (9,)))[1] == second


@pytest.mark.parametrize(("key", "symbols"), [("Eb", ["Eb", "Bb7", "Eb"]), ("F#", ["F#", "C#7", "F#"])])
def test_roots_are_spelled_in_the_key(key, symbols):
    tonic = 3 if key == "Eb" else 6
    fifth = (tonic + 7) % 12
    assert choose_chords(bars(key, (tonic, tonic + 4), (fifth, (fifth + 4) % 12), (tonic,))) == symbols


@pytest.mark.parametrize(("ends", "second"), [(True, "G7"), (False, "C")])
def test_a_dominant_is_likely_before_the_end_of_a_section(ends, second):
    first, last = bars("C", (0, 4, 7), (0, 4))
    undecided = Segment({7: 4.0})
    found = choose_chords([first, undecided, last._replace(ends_section=ends), *[first] * 3])
    assert found == ["C", second, *["C"] * 4]


def test_a_dominant_is_likely_before_the_last_bar_of_two_halves():
    first, last = bars("C", (0, 4, 7), (0, 4))
    half = last._replace(starts_bar=False)
    assert choose_chords([first, Segment({7: 4.0}), last, half, *[first] * 3])[1] == "C"
    assert choose_chords([first, Segment({7: 4.0}), last, half._replace(ends_section=True), *[first] * 3])[1] == "G7"


def test_bars_without_notes_keep_the_chord_before():
    found = choose_chords([Segment({}), *bars("C", (0, 4, 7)), Segment({}), *bars("C", (0,))])
    assert found == ["", "C", "C", "C"]


def test_no_segments():
    assert choose_chords([]) == []
