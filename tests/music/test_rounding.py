"""Rounded scores have readable note values, and keep those that they have."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.music.rounding import VALUES, has_note_values, rounded

F = Fraction


def score_of(*times):
    """Return notes from each time to the next."""
    notes = (Note(a, 60, b - a) for a, b in pairwise(times))
    return Score((Part(tuple(notes)),))


def times_of(score):
    notes = score.parts[0].notes
    return [*(note.onset for note in notes), notes[-1].end]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 8])
def test_equal_steps_of_a_beat_are_recognized_in_a_performance(steps):
    exact = [F(step, steps) for step in range(4 * steps + 1)]
    played = [time + F((-1) ** at, 77 * steps) if at else time for at, time in enumerate(exact)]
    assert times_of(rounded(score_of(*played))) == exact


def test_note_values_stay_as_they_are_if_only_the_ends_are_early():
    notes = (
        Note(F(0), 60, F(159, 480)),
        Note(F(1, 3), 60, F(1, 6)),
        Note(F(1, 2), 60, F(119, 480)),
        Note(F(3, 4), 60, F(1, 4)),
    )
    assert times_of(rounded(Score((Part(notes),)))) == [0, F(1, 3), F(1, 2), F(3, 4), 1]


def test_short_notes_keep_a_length():
    (note,) = rounded(Score((Part((Note(F(1, 50), 60, F(1, 50)),)),))).notes
    assert (note.onset, note.duration) == (0, F(1, 4))


def test_signs_and_chord_symbols_move_too():
    off = F(101, 100)
    score = Score(
        (Part((Note(off, 60, F(1)),)),), (ChordSymbol(off, F(1), "C"), ChordSymbol(F(2), F(1, 100), "G")),
        (Tempo(off, 60.0),), (Meter(off, 3, 4),), (Key(off, 1),), off,
    )  # fmt: skip
    found = rounded(score)
    signs = (*found.notes, *found.chords, *found.tempos, *found.meters, *found.keys)
    assert {sign.onset for sign in signs} == {1} == {found.pickup}
    assert len(found.chords) == 1


@given(st.lists(st.builds(Fraction, st.integers(0, 9600), st.just(480)), min_size=2, max_size=20, unique=True))
def test_every_note_gets_a_note_value(times):
    found = rounded(score_of(*sorted(times)))
    assert has_note_values(found)
    assert all(note.duration > 0 for note in found.notes)


WRITTEN = st.builds(Fraction, st.integers(0, 60), st.sampled_from(sorted(VALUES)))


@given(st.lists(WRITTEN, min_size=2, max_size=20, unique=True))
def test_note_values_are_kept(times):
    score = score_of(*sorted(times))
    assert rounded(score) == score
