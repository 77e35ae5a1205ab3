"""Notes onto a grid: what fits, what is moved, dropped or refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import Note
from composer.toolkit.representations.quantize import GridNote, NotEncodable, OffGrid, quantize, to_notes


def note(onset, duration, pitch=60):
    return Note(Fraction(onset), pitch, Fraction(duration))


def test_beats_become_steps():
    assert quantize([note(1, 2), note("1/2", "1/4", 64)], 4, "refuse") == ([GridNote(2, 64, 1), GridNote(4, 60, 8)], {})


@given(st.lists(st.builds(GridNote, st.integers(0, 99), st.integers(0, 127), st.integers(1, 99))), st.integers(1, 48))
def test_what_is_on_the_grid_stays(notes, steps):
    assert quantize(to_notes(notes, steps), steps, "refuse") == (sorted(notes), {})


def test_a_step_may_be_any_part_of_a_beat():
    assert quantize([note("4/3", "2/3")], Fraction(3, 2), "refuse") == ([GridNote(2, 60, 1)], {})


def test_a_note_that_ends_a_tick_early_is_on_the_grid():
    assert quantize([note(0, Fraction(479, 480)), note(1, Fraction(239, 480))], 2, "refuse") == (
        [GridNote(0, 60, 2), GridNote(2, 60, 1)],
        {},
    )


class TestOffTheGrid:
    def test_refused_with_its_place(self):
        with pytest.raises(OffGrid, match=r"beat 0\.333") as caught:
            quantize([note(0, 1), note("1/3", "1/3")], 4, "refuse")
        assert caught.value.hint

    def test_moved_and_counted(self):
        assert quantize([note("1/3", "1/3"), note(1, 1)], 4, "round") == (
            [GridNote(1, 60, 2), GridNote(4, 60, 4)],
            {"notes moved to the grid": 1},
        )

    @given(st.lists(st.tuples(st.fractions(0, 20), st.fractions("1/9", 4)), max_size=20), st.integers(1, 9))
    def test_in_the_same_way_wherever_they_stand(self, times, shift):
        here, _ = quantize([note(*time) for time in times], 4, "round")
        there, _ = quantize([note(onset + Fraction(shift, 4), length) for onset, length in times], 4, "round")
        assert [placed._replace(start=placed.start - shift) for placed in there] == here

    def test_half_way_to_the_later_step(self):
        run = [note(Fraction(at, 8), "1/8") for at in range(4)]
        assert [placed.start for placed in quantize(run, 4, "round")[0]] == [0, 1, 1, 2]

    def test_left_out_and_counted(self):
        assert quantize([note("1/3", "1/3"), note(1, 1)], 4, "drop") == (
            [GridNote(4, 60, 4)],
            {"notes off the grid left out": 1},
        )

    def test_a_note_shorter_than_the_grid_tells_lasts_a_step(self):
        assert quantize([note(1, "1/64")], 4, "round") == ([GridNote(4, 60, 1)], {"notes moved to the grid": 1})


def test_what_would_take_too_many_steps_is_refused():
    with pytest.raises(NotEncodable, match="too long for the grid"):
        quantize([note(0, 90_000, pitch) for pitch in range(88)], 4, "round")
    with pytest.raises(NotEncodable, match="too long for the grid"):
        quantize([note(99_000, 1)], 96, "round")
