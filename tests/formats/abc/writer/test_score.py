"""Scores as ABC, and back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from abc_diagnostics import check
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, EncodeError, Key, Meter, Note, Part, Score, Tempo
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.writer.melody import melody_of
from composer.formats.abc.writer.score import dialect_with_losses, write


def score_of(lengths: list[tuple[int, float]], **more: object) -> Score:
    """Return a score of consecutive notes, given as pitch (0 for a rest) and length in beats."""
    notes, now = [], Fraction(0)
    for pitch, length in lengths:
        beats = Fraction(length).limit_denominator(12)
        if pitch:
            notes.append(Note(now, pitch, beats))
        now += beats
    return Score((Part(tuple(notes)),), **more)  # type: ignore[arg-type]


def line(*pitches: int, octave: int = 0, length: Fraction = Fraction(1), **more: object) -> Part:
    """Return a part of consecutive notes."""
    return Part(tuple(Note(n * length, p + 12 * octave, length) for n, p in enumerate(pitches)), **more)  # type: ignore[arg-type]


def dialect(score: Score) -> str:
    return dialect_with_losses(score)[0]


def test_melody_with_pickup_triplet_tie_and_chord_symbol():
    score = score_of(
        [(67, 1), (69, 1.5), (71, 0.5), (72, 1 / 3), (71, 1 / 3), (69, 1 / 3), (66, 1), (67, 5), (0, 1)],
        meters=(Meter(Fraction(0), 4, 4),),
        keys=(Key(Fraction(0), 1),),
        chords=(ChordSymbol(Fraction(1), Fraction(9), "Am"),),
        pickup=Fraction(1),
        title="A Tune",
    )
    text = write(score)
    assert text == 'X:1\nT:A Tune\nM:4/4\nL:1/8\nK:G\nG2|"Am"A3B (3cBAF2|G8-|G2z6|]\n'
    assert read_score(text).notes == score.notes
    assert read_score(text).pickup == 1


@pytest.mark.parametrize(
    "title",
    [
        "Frère Jacques",
        "夜来香",
        "100 % Wool",
        r"C:\tunes \u0041",
        "Tom &amp; Jerry",
        "Me & You",
        "IN CAPITALS",
        "|: Repeat",
        70 * "long ",
    ],
)
def test_any_title_reads_back(title):
    for parts in (1, 2):
        score = score_of([(67, 4), (69, 4)], title=title)
        assert read_score(write(replace(score, parts=parts * score.parts))).title == title.strip()


def test_a_change_of_key_in_a_melody_is_kept():
    keys = (Key(Fraction(0), 0), Key(Fraction(4), 2))
    score = score_of([(60, 4), (66, 4)], keys=keys, meters=(Meter(Fraction(0), 4, 4),))
    assert read_score(write(score)).keys == keys


@pytest.mark.parametrize(("symbol", "onset"), [("Am", 2), ("C13", 0), ("C13", 4)])
def test_a_chord_symbol_that_the_dialect_lacks_is_kept(symbol, onset):
    score = score_of([(60, 4), (66, 4)], chords=(ChordSymbol(Fraction(onset), Fraction(2), symbol),))
    assert [(chord.symbol, chord.onset) for chord in read_score(write(score)).chords] == [(symbol, onset)]


def test_accidentals_follow_the_key():
    sharp = score_of([(66, 1), (70, 1), (71, 1), (63, 1)], keys=(Key(Fraction(0), 2),))
    flat = score_of([(66, 1), (70, 1), (71, 1), (63, 1)], keys=(Key(Fraction(0), -3, "minor"),))
    assert dialect(sharp).split("K:")[1] == "D\nF2^A2 B2^D2|]\n"
    assert dialect(flat).split("K:")[1] == "Cm\n^F2B2 =B2E2|]\n"


@pytest.mark.parametrize(
    ("tonic", "sharps", "mode", "degrees"),
    [
        ("C", 0, "major", "C ^C D _E E F ^F G ^G A _B B"),
        ("F", -1, "major", "F ^F G _A A B =B c _d d _e e"),
        ("D", 2, "major", "D ^D E =F F G ^G A ^A B =c c"),
        ("A", 0, "minor", "A _B B c ^c d ^d e f ^f g ^g"),
        ("G", -2, "minor", "G _A A B =B c ^c d e =e f ^f"),
        ("D", -1, "minor", "D _E E F ^F G ^G A B =B c ^c"),
        ("E", 1, "minor", "E =F F G ^G A ^A B c ^c d ^d"),
        ("C", -3, "minor", "C _D D E =E F ^F G A =A B =B"),
        ("D", 0, "dorian", "D _E E F ^F G ^G A _B B c ^c"),
        ("G", 0, "mixolydian", "G ^G A _B B c ^c d ^d e f ^f"),
    ],
)
def test_chromatic_notes_are_spelled_around_the_tonic(tonic, sharps, mode, degrees):
    bottom = 60 + {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9}[tonic]
    for semitones, degree in enumerate(degrees.split()):
        text = dialect(score_of([(bottom + semitones, 4)], keys=(Key(Fraction(0), sharps, mode),)))
        assert text.rstrip().endswith(f"\n{degree}8|]"), (semitones, text)


def test_score_without_a_key_gets_the_one_with_fewest_accidentals():
    assert "K:G\n" in dialect(score_of([(67, 1), (66, 1), (69, 1), (67, 1)]))
    assert "K:Am\n" in dialect(score_of([(69, 1), (72, 1), (76, 1), (69, 1)]))


def test_chords_and_overlaps():
    notes = (Note(Fraction(0), 60, Fraction(2)), Note(Fraction(0), 64, Fraction(2)), Note(Fraction(1), 67, Fraction(3)))
    score = Score((Part(notes),), keys=(Key(Fraction(0), 0),))
    assert dialect(score).endswith("E2G6|]\n")
    assert write(score).endswith("[V:1] z2G6|]\n[V:2] [CE]4 x4|]\n")


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score(()), "no notes"),
        (Score((Part((Note(Fraction(0), 36, Fraction(1)),), percussion=True),)), "no notes"),
        (score_of([(60, 1)], meters=(Meter(Fraction(0), 17, 16),)), "17/16"),
        (score_of([(60, 1)], meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(4), 3, 4))), "changes meter"),
        (Score((line(*range(60, 76), length=Fraction(1, 20)),)), "the rhythm of the score would be lost"),
    ],
)
def test_errors_name_what_the_dialect_cannot_write(score, words):
    with pytest.raises(EncodeError, match=words):
        dialect(score)


def test_tempo_precedes_the_key():
    score = score_of([(60, 4)], tempos=(Tempo(Fraction(0), 96.5),))
    assert write(score) == "X:1\nM:4/4\nL:1/8\nQ:1/4=96.5\nK:C\nC8|]\n"
    assert read_score(write(score)).tempos == score.tempos


def test_a_swung_beat_becomes_dotted():
    score = score_of([(67, 2 / 3), (69, 1 / 3), (71, 1), (72, 2)], keys=(Key(Fraction(0), 1),))
    text, losses = dialect_with_losses(score)
    assert text.endswith("\nG>AB2 c4|]\n")
    assert losses == {"notes moved to the grid": 2}
    assert read_score(write(score)).notes == score.notes, "a file keeps every rhythm"


def test_melody_is_the_first_part_that_is_a_line_and_not_a_bass():
    soprano, bass = line(72, 74, 76, 77), line(48, 50, 52, 53)
    chords = Part(tuple(Note(Fraction(0), pitch, Fraction(4)) for pitch in (67, 71, 74)))
    drums = Part((Note(Fraction(0), 36, Fraction(1)),), percussion=True)
    text, losses = dialect_with_losses(Score((drums, chords, bass, soprano)))
    assert text.endswith("\nc2d2 e2f2|]\n")
    assert losses == {"other parts left out": 2, "drum notes left out": 1, "keys estimated from the notes": 1}
    assert melody_of(Score((line(60, 62), line(72, 74)))).notes[0].pitch == 60


def test_melody_of_both_hands_in_one_part_is_the_top_line():
    right = [Note(Fraction(n), 72 + n, Fraction(1)) for n in range(4)]
    left = [Note(Fraction(n, 2), 48 + n, Fraction(1, 2)) for n in range(8)]
    text, losses = dialect_with_losses(Score((Part(tuple(right + left)),), keys=(Key(Fraction(0), 2),)))
    assert text.endswith("\n=c2^c2 d2^d2|]\n")
    assert losses == {"notes below the melody skipped": 8}


@pytest.mark.parametrize(("as_primer", "losses"), [(False, {"silent bars at the end left out": 2}), (True, {})])
def test_silent_bars_at_the_end_are_counted(as_primer, losses):
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|G4|z4|z4|\n")
    assert dialect_with_losses(score, as_primer=as_primer)[1] == losses


def test_losses_are_counted():
    notes = [Note(Fraction(n), 72, Fraction(1)) for n in range(20)]
    notes[3] = Note(Fraction(3), 72, Fraction(3, 2))
    notes[8] = Note(Fraction(8) + Fraction(1, 20), 72, Fraction(19, 20))
    chords = (ChordSymbol(Fraction(0), Fraction(4), "Am"), ChordSymbol(Fraction(4), Fraction(4), "softly"))
    keys = (Key(Fraction(0), 0), Key(Fraction(4), 1))
    _, losses = dialect_with_losses(Score((Part(tuple(notes)),), chords=chords, keys=keys))
    assert losses == {
        "notes moved to the grid": 1,
        "notes cut short by the next": 1,
        "changes of key left out": 1,
        "chord symbols left out": 1,
    }


@given(
    st.lists(
        st.tuples(st.integers(40, 96), st.sampled_from([0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4])), min_size=1, max_size=30
    ),
    st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 4), (9, 8), (2, 2)]),
    st.integers(-5, 5),
    st.booleans(),
)
def test_what_is_written_reads_back(lengths, meter, sharps, pickup):
    score = score_of(lengths, meters=(Meter(Fraction(0), *meter),), keys=(Key(Fraction(0), sharps),))
    if pickup:
        score = replace(score, pickup=Fraction(1))
    text = dialect(score)
    assert validate(text) == []
    assert read_score(text).notes == score.notes
    # A last bar may be full after a pickup, in the dialect; a checker wants room left for it.
    assert pickup or check(text) == []


def test_what_lies_beyond_the_dialect_is_moved_by_octaves_and_counted():
    notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate((127, 108, 72, 60, 24, 0)))
    text, losses = dialect_with_losses(Score((Part(notes),)))
    assert losses["notes moved by octaves"] == 4
    assert [note.pitch for note in read_score(f"X:1\n{text}").notes] == [103, 96, 72, 60, 48, 48]
