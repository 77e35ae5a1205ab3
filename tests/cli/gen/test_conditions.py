"""Conditions on the command line: values by a part of them, and what the model does not know."""

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
def test_a_value_is_meant_by_a_part_that_no_other_has(pair, means):
    assert conditions.given([pair], KNOWN) == means


def test_several_conditions():
    assert conditions.given(["genre=songs", "artist=blake"], KNOWN) == {"genre": "songs", "artist": "William Blake"}


@pytest.mark.parametrize(
    ("pair", "says", "hint"),
    [
        ("poet=burns", "no condition `poet`", "artist, genre"),
        ("artist", "`artist` gives no value", "artist=Robert Burns"),
        ("artist=", "`artist=` gives no value", "artist=Robert Burns"),
        ("artist=william", "`william` may be more than one artist", "William Blake, William Barnes"),
        ("artist=Robert Barns", "no artist `Robert Barns`", "did you mean Robert Burns"),
        ("artist=xyz", "no artist `xyz`", "it knows Robert Burns, William Blake, William Barnes"),
    ],
)
def test_what_the_model_does_not_know_is_told_with_what_it_does(pair, says, hint):
    with pytest.raises(UsageError, match=says) as caught:
        conditions.given([pair], KNOWN)
    assert hint in caught.value.hint


def test_one_condition_has_one_value():
    with pytest.raises(UsageError, match="`artist` is given twice"):
        conditions.given(["artist=burns", "artist=blake"], KNOWN)


def test_of_very_many_values_some_are_listed():
    with pytest.raises(UsageError) as caught:
        conditions.given(["artist=xyz"], {"artist": [f"poet {number}" for number in range(1000)]})
    assert "and 980 more" in caught.value.hint


def test_a_model_without_conditions():
    with pytest.raises(UsageError, match="no condition `artist`") as caught:
        conditions.given(["artist=burns"], {})
    assert "taught without any" in caught.value.hint


def test_what_is_wished_is_told_to_models_that_know_it():
    labels = {"genre": "song", "artist": "Nobody", "meter": "6/8"}
    assert conditions.with_wished({}, labels, KNOWN) == {"genre": "song"}
    assert conditions.with_wished({"genre": "song"}, labels, KNOWN) == {"genre": "song"}
    with pytest.raises(Unsatisfiable, match="genre=songs and the wish for genre song clash"):
        conditions.with_wished({"genre": "songs"}, labels, KNOWN)
