"""Conflicting controls are reported alike by grid and pianoroll."""

import dataclasses

import pytest

from composer.api import OptionError, Unsatisfiable
from composer.api.testing.options import check_ranges_enforced, values_out_of_range
from composer.registry import plugins
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


NUMERIC = {
    ("abc", "Controls"): {"bars", "repeat_limit"},
    ("grid", "Controls"): {"bars", "repeat_limit"},
    ("pianoroll", "Options"): {"steps", "stack"},
    ("pianoroll", "Controls"): {"bars", "max_notes", "min_notes", "max_onsets", "max_sustained"},
    ("text", "Options"): {"floor"},
    ("text", "Controls"): {"repeat_limit"},
}


@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll", "text"])
@pytest.mark.parametrize("options", ["Options", "Controls"])
def test_numbers_out_of_range_are_refused(name, options):
    """Every number that a player can set has a range, and nothing outside of it is accepted."""
    kind = plugins.representation(name)
    made = getattr(kind, options)
    numbers = {field.name for field in dataclasses.fields(made) if str(field.type).startswith(("int", "float"))}
    assert {field for field, _ in values_out_of_range(made)} == numbers == NUMERIC.get((name, options), set())
    check_ranges_enforced(kind, options)


@pytest.mark.parametrize("value", [0, -1, -5, 1001, 2_000_000_000])
@pytest.mark.parametrize("others", [{}, {"keep_bars": "1-2"}])
def test_grid_refuses_repeat_limits_out_of_range(value, others):
    with pytest.raises(OptionError, match=f"invalid value for --repeat-limit: '{value}'") as caught:
        Grid.Controls(repeat_limit=value, **others)
    assert "use 1 to 1,000" in caught.value.hint
