"""Transposed scores, keys and chord symbols."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, EncodeError, Key, Note, Part, Score
from composer.music.chords import parse, pitches
from composer.music.transposition import transposed, transposed_chord, transposed_sharps

NOTE = Note(Fraction(0), 60, Fraction(1))
SCORE = Score(
    (Part((NOTE,)), Part((NOTE._replace(pitch=36),), percussion=True)),
    (ChordSymbol(Fraction(0), Fraction(1), "G7/B"), ChordSymbol(Fraction(1), Fraction(1), "Fine")),
    keys=(Key(Fraction(0), 0, "minor"),),
)


def test_everything_but_percussion_moves():
    moved = transposed(SCORE, 2)
    assert [part.notes[0].pitch for part in moved.parts] == [62, 36]
    assert [chord.symbol for chord in moved.chords] == ["A7/C#", "Fine"]
    assert moved.keys == (Key(Fraction(0), 2, "minor"),)
    assert transposed(SCORE, 0) == SCORE


@pytest.mark.parametrize("semitones", [68, -61])
def test_notes_stay_in_the_range_of_midi(semitones):
    with pytest.raises(EncodeError, match="moves note 60 out of the MIDI range"):
        transposed(SCORE, semitones)


@pytest.mark.parametrize(("sharps", "semitones", "moved"), [(0, 1, -5), (0, 6, -6), (-1, 2, 1), (3, -3, -6), (0, 7, 1)])
def test_sharps(sharps, semitones, moved):
    assert transposed_sharps(sharps, semitones) == moved


@pytest.mark.parametrize(
    ("symbol", "semitones", "sharps", "moved"),
    [
        ("C", 1, -5, "Db"),
        ("C", 1, 7, "C#"),
        ("Am7/G", 3, -3, "Cm7/Bb"),
        ("N.C.", 3, 0, "N.C."),
        ("Bbmaj7", 12, 0, "Bbmaj7"),
    ],
)
def test_chord_symbols(symbol, semitones, sharps, moved):
    assert transposed_chord(symbol, semitones, sharps) == moved


@given(st.sampled_from(["C", "F#m7", "Bbdim/E", "G7sus4"]), st.integers(-11, 11), st.integers(-7, 7))
def test_chords_keep_their_kind(symbol, semitones, sharps):
    moved = transposed_chord(symbol, semitones, sharps)
    assert parse(moved).kind == parse(symbol).kind
    assert {pitch % 12 for pitch in pitches(moved)} == {(pitch + semitones) % 12 for pitch in pitches(symbol)}
