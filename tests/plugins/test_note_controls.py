"""Wishes that melodies on a grid and pianorolls share are refused alike where nothing has them."""

import pytest

from composer.api import Unsatisfiable
from composer_grid import Grid
from composer_pianoroll import Pianoroll, PianorollOptions


def grid():
    fitted = Grid()
    fitted.restore({"pitches": list(range(57, 77))})
    return fitted


def pianoroll():
    return Pianoroll(PianorollOptions(range="57-76"))


@pytest.mark.parametrize("fitted", [grid, pianoroll])
@pytest.mark.parametrize(
    ("wished", "first", "second"),
    [
        ({"range": "61-61", "key": "C"}, "--range 61-61", "C major"),
        ({"scale": "E dorian", "key": "D"}, "--scale E dorian", "--key D"),
        ({"bars": 4, "meter": "5/64"}, "--bars 4", "--meter 5/64"),
    ],
)
def test_wishes_that_clash_are_both_named(fitted, wished, first, second):
    representation = fitted()
    with pytest.raises(Unsatisfiable) as caught:
        representation.constraint(representation.Controls(**wished))
    assert first in caught.value.message
    assert second in caught.value.message
    assert caught.value.hint
