"""Notes on a grid as columns and numbers: the same as one by one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.formats.midi import beats
from composer.formats.numbered import Columns, quantised
from composer.formats.quantise import MOST_STEPS, OFFGRID, GridNote, OffGrid, Unfit, quantise
from composer.formats.ticks import ascending

DIVISION = 24
grids = st.lists(st.builds(GridNote, st.integers(0, 2**20), st.integers(0, 127), st.integers(1, 2**20)))
rows = st.lists(st.tuples(st.integers(0, 200), st.integers(55, 65), st.integers(1, 60), st.just(80)), min_size=1)


def refusal(work):
    """What is wrong, where `work` refuses a note off the grid."""
    try:
        work()
    except OffGrid as error:
        return error.message
    return ""


@given(grids)
def test_numbers_stand_for_notes_in_their_order(notes):
    numbers = Columns.of(notes).numbered()
    assert list(Columns.read(numbers).notes()) == sorted(notes)
    assert np.frombuffer(numbers, "<i8").tolist() == sorted(np.frombuffer(numbers, "<i8").tolist())


@given(
    st.lists(rows, min_size=1, max_size=3),
    st.sampled_from([1, 2, 3, 4, 5, Fraction(3, 2), Fraction(1, 4)]),
    st.sampled_from(sorted(OFFGRID)),
    st.sampled_from([(0, 127), (57, 62), (100, 108)]),
)
def test_a_grid_for_all_notes_at_once_is_that_for_each(tracks, steps, offgrid, pitches):
    tracks = [np.array(track, np.int64) for track in tracks]
    lowest, highest = pitches
    notes = [note for track in tracks for note in beats(ascending(track), DIVISION) if lowest <= note.pitch <= highest]
    refused = refusal(lambda: quantise(notes, steps, offgrid))
    assert refused == refusal(lambda: quantised(tracks, DIVISION, steps, offgrid, lowest, highest))
    if refused:
        return
    placed, losses = quantise(notes, steps, offgrid)
    columns, lost, within = quantised(tracks, DIVISION, steps, offgrid, lowest, highest)
    assert sorted(columns.notes()) == placed
    assert (lost, within) == (losses, len(notes))


@pytest.mark.parametrize("lasting", [[(0, 60, MOST_STEPS + 1, 80)], [(0, 60, MOST_STEPS // 2 + 1, 80)] * 2])
def test_what_takes_too_many_steps_is_refused(lasting):
    with pytest.raises(Unfit, match="too long for the grid"):
        quantised([np.array(lasting)], 1, 1, "round", 0, 127)
