"""Two voices that move in parallel fifths or octaves."""

import pytest

from composer.music.parallel_motion import both_move, is_parallel


@pytest.mark.parametrize(
    ("before", "after", "parallel"),
    [
        ((48, 55), (50, 57), True),  # fifths
        ((48, 67), (47, 66), True),  # twelfths
        ((48, 67), (53, 60), True),  # a twelfth and a fifth
        ((48, 60), (53, 65), True),  # octaves
        ((48, 48), (50, 50), True),  # unisons
        ((48, 60), (50, 57), False),  # an octave and a fifth
        ((48, 53), (50, 55), False),  # fourths
        ((48, 55), (48, 55), False),  # held
        ((48, 55), (48, 67), False),  # only the upper voice moves
    ],
)
def test_parallel_fifths_and_octaves(before, after, parallel):
    assert is_parallel(before, after) is is_parallel(after, before) is parallel


def test_both_voices_move():
    assert both_move((48, 55), (50, 57))
    assert not both_move((48, 55), (50, 55))
    assert not both_move((48, 55), (48, 57))
