"""Beats to seconds and back."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.formats.abc.reader.score import read_score
from composer.music.tempo_map import TempoMap, at_tempo

F = Fraction


def test_two_beats_are_a_second_without_tempos():
    assert TempoMap().seconds(3) == F(3, 2)
    assert TempoMap().beat(0.25) == F(1, 2)


def test_a_tempo_lasts_until_the_next():
    clock = TempoMap([Tempo(F(4), 60.0), Tempo(F(8), 240.0)])
    assert [clock.seconds(beat) for beat in (0, 4, 6, 8, 12)] == [0, 2, 4, 6, 7]
    assert [clock.beat(seconds) for seconds in (0, 2, 4, 6, 7)] == [0, 4, 6, 8, 12]


@pytest.mark.parametrize(
    ("tempos", "seconds"),
    [
        ([(0, 90.0)], F(2, 3)),
        ([(0, 97.3)], F(600, 973)),
        ([(0, 60e6 / 666_667)], F(666_667, 1_000_000)),  # as a MIDI file has 90 BPM
        ([(0, 60.0), (0, 30.0)], 2),  # the last of several counts
        ([(1, 30.0), (0, 60.0)], 1),  # in any order
        ([(0, 0.0), (0, -3.0), (0, float("inf")), (0, float("nan"))], F(1, 2)),  # no tempos
        ([(-2, 60.0)], 1),
    ],
)
def test_seconds_of_the_first_beat(tempos, seconds):
    assert TempoMap(Tempo(F(onset), bpm) for onset, bpm in tempos).seconds(1) == seconds


tempos = st.builds(Tempo, st.fractions(0, 50, max_denominator=24), st.floats(1e-9, 1e9))


@given(st.lists(tempos, max_size=5), st.fractions(0, 99, max_denominator=480), st.fractions(0, 9, max_denominator=480))
def test_back_and_forth_is_exact_and_time_ascends(changes, beat, later):
    clock = TempoMap(changes)
    assert clock.beat(clock.seconds(beat)) == beat
    assert clock.seconds(beat + later) >= clock.seconds(beat)


def test_at_tempo_keeps_the_seconds():
    notes = (Note(F(0), 60, F(1)), Note(F(1), 62, F(2)), Note(F(3), 64, F(1)))
    score = Score(
        (Part(notes),),
        (ChordSymbol(F(2), F(2), "Am"),),
        (Tempo(F(0), 60.0), Tempo(F(2), 240.0)),
        (Meter(F(0), 3, 4),),
        (Key(F(2), 1),),
        pickup=F(1),
    )
    moved = at_tempo(score)
    assert [(note.onset, note.end) for note in moved.notes] == [(0, 2), (2, F(9, 2)), (F(9, 2), 5)]
    assert (moved.chords[0].onset, moved.chords[0].duration, moved.keys[0].onset) == (4, 1, 4)
    assert (moved.tempos, moved.meters, moved.pickup) == ((Tempo(F(0), 120.0),), (), 0)
    old, new = TempoMap(score.tempos), TempoMap(moved.tempos)
    assert [old.seconds(note.onset) for note in notes] == [new.seconds(note.onset) for note in moved.notes]


def test_at_tempo_moves_the_notes_away_from_their_notation():
    assert at_tempo(read_score("X:1\nQ:1/4=240\nM:4/4\nL:1/4\nK:C\nCDEF|G4|\n")).notation is None


def test_at_tempo_keeps_the_bars_if_the_tempo_is_the_same():
    score = Score((Part((Note(F(1), 60, F(1)),)),), meters=(Meter(F(0), 3, 4),), pickup=F(1))
    assert at_tempo(score) == Score(score.parts, (), (Tempo(F(0), 120.0),), score.meters, (), F(1))
