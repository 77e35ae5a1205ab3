"""Conditions on the command line."""

import pytest

from composer.api import Unsatisfiable, UsageError
from composer.cli.gen import conditions

KNOWN = {"artist": ("Robert Burns", "William Blake", "William Barnes"), "genre": ("song", "songs")}


@pytest.mark.parametrize(
    ("pair", "means"),
    [
        ("artist=William Blake", {"artist": "William Blake"}),
        ("artist=robert burns", {"artist": "Robert Burns"}),
        ("artist=burns", {"artist": "Robert Burns"}),
        ("genre=song", {"genre": "song"}),
    ],
)
def test_unique_part_of_a_value(pair, means):
    assert conditions.parse_conditions([pair], KNOWN) == means


def test_several_conditions():
    assert conditions.parse_conditions(["genre=songs", "artist=blake"], KNOWN) == {
        "genre": "songs",
        "artist": "William Blake",
    }


@pytest.mark.parametrize(
    ("pair", "says", "hint"),
    [
        ("poet=burns", "no condition 'poet'", "artist, genre"),
        ("artist", "no value for condition 'artist'", "artist='Robert Burns'"),
        ("artist=", "no value for condition 'artist'", "artist='Robert Burns'"),
        ("artist=william", "'william' matches more than one artist", "William Blake, William Barnes"),
        ("artist=Robert Barns", "no artist 'Robert Barns'", "did you mean `Robert Burns`"),
        ("artist=xyz", "no artist 'xyz'", "choose from Robert Burns, William Blake, William Barnes"),
    ],
)
def test_unknown_conditions_and_values(pair, says, hint):
    with pytest.raises(UsageError, match=says) as caught:
        conditions.parse_conditions([pair], KNOWN)
    assert hint in caught.value.hint


def test_condition_given_twice():
    with pytest.raises(UsageError, match="'artist' is given twice"):
        conditions.parse_conditions(["artist=burns", "artist=blake"], KNOWN)


def test_long_lists_of_values_are_shortened():
    with pytest.raises(UsageError) as caught:
        conditions.parse_conditions(["artist=xyz"], {"artist": [f"poet {number}" for number in range(1000)]})
    assert "and 980 more" in caught.value.hint


def test_a_model_without_conditions():
    with pytest.raises(UsageError, match="no condition 'artist'") as caught:
        conditions.parse_conditions(["artist=burns"], {})
    assert "trained without conditions" in caught.value.hint


def test_labels_of_controls_become_conditions():
    labels = {"genre": "song", "artist": "Nobody", "meter": "6/8"}
    assert conditions.with_control_labels({}, labels, KNOWN) == {"genre": "song"}
    assert conditions.with_control_labels({"genre": "song"}, labels, KNOWN) == {"genre": "song"}
    with pytest.raises(Unsatisfiable, match="genre=songs contradicts the controls, which imply genre=song"):
        conditions.with_control_labels({"genre": "songs"}, labels, KNOWN)
