"""Quick sorting of exact times gives the order of the fractions themselves."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from composer.api import Note
from composer.music.time_order import in_order, in_time

BEATS = st.fractions(0, 4, max_denominator=7) | st.builds(Fraction, st.integers(0, 10**20), st.just(10**19 + 9))
NOTES = st.builds(Note, BEATS, st.integers(60, 62), BEATS)


@given(st.lists(BEATS))
def test_beats_that_are_equal_as_floats_too(beats):
    assert sorted(beats, key=in_time) == sorted(beats)


@given(st.lists(NOTES).map(lambda notes: notes + notes[::2]))
def test_notes_are_in_order_and_each_is_there_once(notes):
    assert in_order(notes) == tuple(sorted(set(notes)))
