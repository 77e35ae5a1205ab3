"""Quantizing notes: on the grid, rounded, dropped and refused."""

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
def test_notes_on_the_grid_are_unchanged(notes, steps):
    assert quantize(to_notes(notes, steps), steps, "refuse") == (sorted(notes), {})


def test_fractional_steps_per_beat():
    assert quantize([note("4/3", "2/3")], Fraction(3, 2), "refuse") == ([GridNote(2, 60, 1)], {})


def test_tolerance_for_early_ends():
    assert quantize([note(0, Fraction(479, 480)), note(1, Fraction(239, 480))], 2, "refuse") == (
        [GridNote(0, 60, 2), GridNote(2, 60, 1)],
        {},
    )


class TestOffTheGrid:
    def test_refuse(self):
        with pytest.raises(OffGrid, match=r"beat 0\.333") as caught:
            quantize([note(0, 1), note("1/3", "1/3")], 4, "refuse")
        assert caught.value.hint

    def test_round(self):
        assert quantize([note("1/3", "1/3"), note(1, 1)], 4, "round") == (
            [GridNote(1, 60, 2), GridNote(4, 60, 4)],
            {"notes moved to the grid by up to 1/12 beat": 1},
        )

    @pytest.mark.parametrize(
        ("notes", "steps", "bound"),
        [
            ([note("1/24", 1), note("5/4", 1)], 4, "1/24 beat"),
            ([note("1/3", "1/3"), note("2/3", "1/3")], 4, "1/12 beat"),
            ([note("1/10", 1)], 4, "1/8 beat"),
            ([note("1/3", "2/3")], 2, "1/6 beat"),
            ([note(0, 10)], Fraction(1, 4), "2 beats"),
        ],
    )
    def test_the_largest_move_is_told(self, notes, steps, bound):
        [phrase] = quantize(notes, steps, "round")[1]
        assert phrase == f"notes moved to the grid by up to {bound}"

    @given(
        st.lists(st.tuples(st.fractions(0, 20, max_denominator=48), st.fractions("1/9", 4)), max_size=20),
        st.integers(1, 9),
    )
    def test_rounding_does_not_depend_on_the_position(self, times, shift):
        try:
            notes, _ = quantize([note(*time) for time in times], 4, "round")
        except NotEncodable as error:
            with pytest.raises(NotEncodable, match=error.reason):
                quantize([note(onset + Fraction(shift, 4), length) for onset, length in times], 4, "round")
            return
        shifted, _ = quantize([note(onset + Fraction(shift, 4), length) for onset, length in times], 4, "round")
        assert [quantized._replace(start=quantized.start - shift) for quantized in shifted] == notes

    def test_half_rounds_down(self):
        run = [note(Fraction(at, 8), "1/2") for at in range(4)]
        assert [quantized.start for quantized in quantize(run, 4, "round")[0]] == [0, 0, 1, 1]

    def test_drop(self):
        assert quantize([note("1/3", "1/3"), note(1, 1)], 4, "drop") == (
            [GridNote(4, 60, 4)],
            {"notes off the grid left out": 1},
        )

    def test_short_notes_last_one_step(self):
        assert quantize([note(1, "1/64")], 4, "round") == (
            [GridNote(4, 60, 1)],
            {"short notes lengthened to one step": 1},
        )


def test_too_many_steps():
    with pytest.raises(NotEncodable, match="too long for the grid"):
        quantize([note(0, 90_000, pitch) for pitch in range(88)], 4, "round")
    with pytest.raises(NotEncodable, match="too long for the grid"):
        quantize([note(99_000, 1)], 96, "round")
