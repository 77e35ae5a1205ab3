"""Rounding to the grid: ornaments, broken chords, and rhythms that would be lost."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.toolkit.representations.quantize import NotEncodable
from composer.toolkit.representations.rounding import round_notes

UNIT = 24
"""Units per step."""


def rounded(*notes, parts=None):
    """Round (start, end) in units, with ascending pitches; four steps are a beat."""
    starts, ends = np.array(notes, np.int64).T
    part_numbers = np.array(parts or [0] * len(notes), np.int64)
    return round_notes(starts, ends, np.arange(len(notes)) + 60, part_numbers, UNIT, 4)


def kept(*notes, parts=None):
    return rounded(*notes, parts=parts).kept.tolist()


LONG = (96, 960)
"""A long note, so that the ornaments take little time."""


@pytest.mark.parametrize(
    "ornaments",
    [
        pytest.param([(0, 6), (6, 96)], id="a grace note on the beat"),
        pytest.param([(0, 12), (12, 96)], id="a grace note of half a step"),
        pytest.param([(0, 5), (5, 10), (10, 96)], id="two grace notes"),
        pytest.param([(0, 84), (85, 96)], id="a grace note before the beat"),
        pytest.param([(0, 16), (16, 32), (32, 48)], id="a triplet in the time of two steps"),
    ],
)
def test_of_consecutive_notes_on_one_step_the_longest_stays(ornaments):
    result = rounded(*ornaments, LONG)
    assert len(set(result.starts.tolist())) == len(result.starts)
    left_out = len(ornaments) + 1 - len(result.starts)
    assert left_out > 0
    assert result.losses["notes too short for the grid left out"] == left_out
    assert result.starts.tolist()[0] == 0, "the main note moves onto the beat"


def test_the_note_nearest_to_the_step_stays_if_all_are_equally_long():
    assert kept((0, 12), (12, 24), (24, 36), (36, 48), LONG) == [True, False, True, False, True]


def test_notes_that_overlap_stay_together():
    broken_chord = (0, 96), (4, 96), (8, 96)
    result = rounded(*broken_chord)
    assert result.starts.tolist() == [0, 0, 0]
    assert result.losses == {"notes moved to the grid by up to 1/12 beat": 2}


def test_parts_are_rounded_by_themselves():
    assert kept((0, 6), (6, 96), LONG) == [False, True, True]
    assert kept((0, 6), (6, 96), LONG, parts=[1, 0, 0]) == [True, True, True]


def test_a_short_note_alone_on_its_step_is_lengthened():
    result = rounded((0, 6), (24, 48))
    assert (result.starts.tolist(), result.lengths.tolist()) == ([0, 1], [1, 1])
    assert result.losses == {"short notes lengthened to one step": 1}


@pytest.mark.parametrize(("run", "fits"), [(2, True), (6, True), (40, False)])
def test_the_rhythm_is_lost_if_the_notes_left_out_take_too_much_of_the_time(run, fits):
    """Each pair of notes in half a step loses one of them."""
    notes = [(12 * at, 12 * at + 12) for at in range(run)] + [(12 * run, 12 * run + 600)]
    if fits:
        assert rounded(*notes).losses["notes too short for the grid left out"] == run // 2
    else:
        with pytest.raises(NotEncodable, match="rhythm lost on the grid: 20 of 41 notes") as caught:
            rounded(*notes)
        assert caught.value.hint


def test_grace_notes_before_every_note_do_not_lose_the_rhythm():
    tune = [each for beat in range(16) for each in ((96 * beat, 96 * beat + 5), (96 * beat + 5, 96 * beat + 96))]
    result = rounded(*tune)
    assert result.starts.tolist() == [4 * beat for beat in range(16)]
    assert result.losses["notes too short for the grid left out"] == 16


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=1, max_size=30))
def test_consecutive_notes_stay_consecutive(steps):
    """A melody without overlaps is one on the grid too."""
    notes, now = [], 0
    for gap, length in steps:
        notes.append((now + gap, now + gap + length))
        now += gap + length
    try:
        result = rounded(*notes)
    except NotEncodable:
        return
    starts = result.starts.tolist()
    assert starts == sorted(set(starts))
    # a note that is lengthened may reach into the next step, but never to another note
    ends = (result.starts + result.lengths).tolist()
    assert all(end <= following for end, following in zip(ends, starts[1:], strict=False))
    assert result.kept.sum() + result.losses.get("notes too short for the grid left out", 0) == len(notes)


def test_a_tick_late_is_no_further():
    """Programs such as abc2midi start each note a tick late."""
    notes = [(160 * at + 1, 160 * at + 160) for at in range(3)] + [(481, 510), (511, 960)]
    starts, ends = np.array(notes, np.int64).T
    result = round_notes(starts, ends, np.full(5, 60), np.zeros(5, np.int64), 60, 8)
    assert result.starts.tolist() == [0, 3, 5, 8]
    assert result.losses == {
        "notes too short for the grid left out": 1,
        "notes moved to the grid by up to 1/16 beat": 4,
    }


def test_the_bound_counts_beats_whatever_the_step():
    starts, ends = np.array([[8], [UNIT + 8]], np.int64)
    losses = round_notes(starts, ends, np.array([60]), np.array([0]), UNIT, Fraction(1, 4)).losses
    assert losses == {"notes moved to the grid by up to 4/3 beats": 1}
