"""Conflicting controls are reported alike by grid and pianoroll."""

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
    ("controls", "first", "second"),
    [
        ({"range": "61-61", "key": "C"}, "--range 61-61", "C major"),
        ({"scale": "E dorian", "key": "D"}, "--scale 'E dorian'", "--key D"),
        ({"bars": 4, "meter": "5/64"}, "--bars 4", "--meter 5/64"),
    ],
)
def test_conflicting_controls_are_both_named(fitted, controls, first, second):
    representation = fitted()
    with pytest.raises(Unsatisfiable) as caught:
        representation.constraint(representation.Controls(**controls))
    assert first in caught.value.message
    assert second in caught.value.message
    assert caught.value.hint
