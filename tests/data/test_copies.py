"""Copies of a melody have one key, in any key and note values and under any title; other pieces have others."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, Note, Part, Piece, Score
from composer.data.copies import MIN_NOTES, copy_key, copy_key_of, melody_key
from composer.music.contour import contour, melody_of
from composer_abc import Abc
from composer_pianoroll import Pianoroll
from composer_text import Text

F = Fraction
ABC, TEXT, ROLL = Abc(), Text(), Pianoroll()

HEAD = "X:1\nT:The Fox\nM:4/4\nL:1/8\nK:C\n"
FOX = "C2D2 E2G2|A2c2 B2G2|]\n"
GOOSE = HEAD + "|:C2D2 E2G2|A2c2 B2G2:|F4 E4|D8|]\n"


def abc_key(text):
    return copy_key_of(Piece(text), ABC)


def score_key(score, content=()):
    return copy_key(Piece(content), score, contour(score))


def line(*steps):
    """Return notes from pairs of a pitch and a duration in beats."""
    notes, onset = [], F(0)
    for pitch, duration in steps:
        notes.append(Note(onset, pitch, F(duration)))
        onset += F(duration)
    return tuple(notes)


TUNE = [(60, 1), (62, 1), (64, 2), (67, 1), (65, 1), (64, 1), (62, F(1, 2)), (60, F(1, 2)), (59, 1), (60, 1), (64, 2)]
TUNE = [*TUNE, (62, 1), (60, 4)]


@pytest.mark.parametrize(
    "copy",
    [
        GOOSE.replace("The Fox", "The Goose"),
        HEAD.replace("K:C", "K:D") + "|:D2E2 F2A2|B2d2 c2A2:|G4 F4|E8|]\n",
        HEAD.replace("L:1/8", "L:1/16") + "|:C2D2 E2G2|A2c2 B2G2:|F4 E4|D8|]\n",
        HEAD + "C2D2 E2G2|A2c2 B2G2|C2D2 E2G2|A2c2 B2G2|F4 E4|D8|]\n",
        HEAD + '|:"C"C2D2 E2G2|"F"A2c2 "G"B2G2:|F4 E4|D8|]\n',
        HEAD + "|:C2D2 E2Gz|A2c2 Bz G2:|F2z2 E4|D4 z4|]\n",
    ],
    ids=["title", "key", "note values", "repeats written out", "chords", "rests"],
)
def test_copies_have_one_key(copy):
    assert copy != GOOSE
    assert abc_key(copy) == abc_key(GOOSE)


@pytest.mark.parametrize(
    "other",
    [
        GOOSE.replace("B2G2:|", "B2A2:|"),
        GOOSE.replace("C2D2", "C3D"),
        GOOSE.replace(":|", "|"),
        GOOSE.replace("K:C", "K:Cm"),
        GOOSE.replace("D8", "D4 D4"),
    ],
    ids=["a note", "a rhythm", "without the repeat", "in minor", "one more note"],
)
def test_other_pieces_have_other_keys(other):
    assert other != GOOSE
    assert abc_key(other) != abc_key(GOOSE)


melodies = st.lists(
    st.tuples(st.integers(48, 84), st.sampled_from([F(1, 2), F(1), F(3, 2), F(1, 3)])), min_size=MIN_NOTES, max_size=40
)


@given(melodies, st.integers(-24, 24), st.fractions(F(1, 8), 8, max_denominator=12))
def test_key_and_tempo_do_not_matter(steps, shift, factor):
    one, other = (Score((Part(line(*notes)),)) for notes in (steps, [(p + shift, d * factor) for p, d in steps]))
    assert melody_key(contour(one)) == melody_key(contour(other))


@given(melodies, melodies)
def test_different_melodies_have_different_keys(steps, others):
    def shape(notes):
        onsets = [0] + [sum(d for _, d in notes[:at]) / notes[0][1] for at in range(1, len(notes))]
        return [pitch - notes[0][0] for pitch, _ in notes], onsets

    one, other = (melody_key(contour(Score((Part(line(*notes)),)))) for notes in (steps, others))
    assert one is None or other is None or (one == other) == (shape(steps) == shape(others))


def test_the_accompaniment_does_not_matter():
    melody = line(*TUNE)
    bass = tuple(Note(note.onset, 40, note.duration) for note in melody)
    assert score_key(Score((Part(melody), Part(bass)))) == score_key(Score((Part(melody),)))


def test_short_melodies_are_equal_by_chance():
    assert copy_key_of(Piece(HEAD + FOX), ABC) != copy_key_of(Piece(HEAD.replace("Fox", "Goose") + FOX), ABC)
    assert score_key(Score((Part(line(*TUNE[:11])),)), "a") != score_key(Score((Part(line(*TUNE[:11])),)), "b")


def test_what_lies_below_a_plain_top_line_tells_pieces_apart():
    top = [(Note(F(beat), 72, F(1)), Note(F(beat), 40 + beat % 5, F(1))) for beat in range(32)]
    other = [(high, low._replace(pitch=40 + low.onset.numerator % 7)) for high, low in top]
    one, two = (Score((Part(tuple(note for both in notes for note in both)),)) for notes in (top, other))
    first, second = ROLL.from_score(one), ROLL.from_score(two)
    assert copy_key_of(first, ROLL) != copy_key_of(second, ROLL)
    assert copy_key_of(first, ROLL) == copy_key_of(ROLL.from_score(one), ROLL)


def test_drums_and_chord_symbols_are_not_melodies():
    kick = line(*TUNE)
    for score in (
        Score((Part(kick, percussion=True),)),
        Score((), chords=tuple(ChordSymbol(note.onset, F(1), "CDEFGAB"[note.pitch % 7]) for note in kick)),
    ):
        assert melody_key(melody_of(Piece(""), score).notes) is not None
        assert score_key(score, "a") != score_key(score, "b")


def test_texts_are_copies_up_to_whitespace():
    keys = [copy_key_of(Piece(text), TEXT) for text in ("a red\n rose\n", " a  red rose", "a red rose", "ared rose")]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert copy_key_of(Piece("A red rose"), TEXT) != keys[2]


def test_other_content_must_be_equal():
    assert score_key(Score(()), (1, 2)) == score_key(Score(()), (1, 2)) != score_key(Score(()), (1, 3))
