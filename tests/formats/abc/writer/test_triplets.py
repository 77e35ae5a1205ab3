"""Triplets that the dialect writes, and tuplets that it rounds."""

import pytest

from composer.formats.abc.elements import Sound
from composer.formats.abc.writer.triplets import with_writable_tuplets
from composer.music.keys import BEAT

BAR = 4 * BEAT


def sounds(*lengths):
    """Return sounds with lengths in twelfths of a beat; a negative one is a rest."""
    return [Sound(((35, 0),) if length > 0 else (), abs(length) * BEAT // 12, 0, 0) for length in lengths]


def written(*lengths, pickup=0):
    """Return lengths in twelfths of a beat, the groups, and the notes moved and lost."""
    result = with_writable_tuplets(sounds(*lengths), BAR, pickup * BEAT // 12)
    lengths = [each.ticks * 12 / BEAT for each in result.sounds]
    return lengths, [each.group for each in result.sounds], (result.moved, result.lost)


def test_three_equal_notes_are_a_triplet():
    assert written(12, 4, 4, 4, 2, 2, 2) == ([12, 4, 4, 4, 2, 2, 2], [0, 1, 1, 1, 2, 2, 2], (0, 0))


@pytest.mark.parametrize(
    ("lengths", "rounded", "moved"),
    [
        pytest.param((8, 4, 12), [9, 3, 12], 2, id="a swung beat"),
        pytest.param((4, 8, 12), [3, 9, 12], 2, id="a short note before a long one"),
        pytest.param((4, -4, 4), [3, 6, 3], 2, id="a rest in a triplet"),
        pytest.param((4, 4, 16), [3, 6, 15], 3, id="an incomplete triplet"),
    ],
)
def test_other_tuplets_are_rounded_to_sixteenths(lengths, rounded, moved):
    assert written(*lengths) == (rounded, [0, 0, 0], (moved, 0))


def test_a_triplet_across_a_bar_line_is_rounded():
    assert written(40, 8, 8, 8)[1] == [0, 0, 0, 0]
    assert written(12, 8, 8, 8, pickup=12)[1] == [0, 1, 1, 1]
    assert written(4, 4, 4, pickup=6)[1] == [0, 0, 0]


def test_notes_without_room_are_lost():
    assert written(5, 1, 6) == ([6, 6], [0, 0], (1, 1))
