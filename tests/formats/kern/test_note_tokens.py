"""Lengths, pitches and ties of kern's tokens."""

from fractions import Fraction

import pytest

from composer.formats.kern.note_tokens import NoteToken, read_length, read_pitch, read_token


@pytest.mark.parametrize(
    ("token", "beats"),
    [
        ("4c", 1), ("8.c", "3/4"), ("2..c", "7/2"), ("12c", "1/3"), ("0c", 8), ("00c", 16), ("000c", 32),
        ("3%2c", "8/3"), ("3%4.c", 8), ("[8%3cc#L", "3/2"),
    ],
)  # fmt: skip
def test_lengths(token, beats):
    assert read_length(token) == Fraction(beats)


def test_a_token_may_name_no_length():
    assert read_length("cc#") is None


@pytest.mark.parametrize("token", ["999999c", "4%0c", "4.......c"])
def test_lengths_that_no_rhythm_has(token):
    with pytest.raises(ValueError, match=token.replace(".", r"\.")):
        read_length(token)


@pytest.mark.parametrize(
    ("token", "pitch"),
    [
        ("4c", 60),
        ("4cc", 72),
        ("4C", 48),
        ("4CC", 36),
        ("4f#", 66),
        ("4B-", 58),
        ("4d--", 60),
        ("4gn", 67),
        ("4b#", 72),
    ],
)
def test_pitches(token, pitch):
    assert read_pitch(token) == pitch


def test_the_notes_of_a_chord_may_share_a_length_and_have_their_own_ties():
    assert read_token("[4c e 4g]") == (
        NoteToken(Fraction(1), 60, tied_after=True), NoteToken(Fraction(1), 64), NoteToken(Fraction(1), 67, True),
    )  # fmt: skip


def test_grace_notes_take_no_time():
    assert read_token("8qcc#") == (NoteToken(Fraction(0), 73),)


@pytest.mark.parametrize("token", ["4r", "4rgg", "4yy", "4"])
def test_rests_have_no_pitch(token):
    assert read_token(token) == (NoteToken(Fraction(1), None),)


def test_percussion_has_no_pitch():
    assert read_token("4Rcc") == (NoteToken(Fraction(1), None),)
