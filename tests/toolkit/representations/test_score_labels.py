"""Labels from scores, and their transposition."""

from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import Key, Meter, Note, Part, Score, Source
from composer.formats import write
from composer.toolkit.representations.score_labels import (
    keys_from_labels,
    labels_of,
    last_key_labels,
    meters_of,
    pickup_of,
    transposed,
)
from composer.toolkit.representations.score_parts import read


def test_meter_key_and_mode():
    score = Score((), meters=(Meter(Fraction(0), 6, 8),), keys=(Key(Fraction(0), -1, "minor"),))
    assert labels_of(score) == {"meter": "6/8", "key": "Dm", "mode": "minor"}
    assert labels_of(Score(())) == {}


def test_no_meter_label_if_the_meter_changes():
    assert labels_of(Score((), meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(4), 3, 4)))) == {}


@pytest.mark.parametrize(("key", "shift", "moved"), [("G", 2, "A"), ("Dm", -5, "Am"), ("Am", 3, "Cm"), ("C", -1, "B")])
def test_transposed_key(key, shift, moved):
    assert transposed({"key": key, "meter": "3/4"}, shift) == {"key": moved, "meter": "3/4"}


def test_meters_from_labels():
    assert meters_of({"meter": "6/8"}) == (Meter(Fraction(0), 6, 8),)
    assert meters_of({}) == ()


@pytest.mark.parametrize("key", [(2, "major"), (-1, "minor"), (0, "dorian"), (-7, "major")])
def test_key_round_trip(key):
    score = Score((), keys=(Key(Fraction(0), *key),))
    assert keys_from_labels(labels_of(score)) == score.keys
    assert keys_from_labels({"meter": "3/4"}) == keys_from_labels({"key": "?"}) == ()


def test_pickup_round_trip():
    score = Score((), meters=(Meter(Fraction(0), 3, 4),), pickup=Fraction(1, 2))
    assert labels_of(score) == {"meter": "3/4", "pickup": "1/2"}
    assert pickup_of(labels_of(score)) == Fraction(1, 2)
    assert pickup_of({"meter": "3/4"}) == 0


def test_pickup_bar_in_midi():
    score = Score(
        (Part((Note(Fraction(0), 60, Fraction(4)),)),), meters=(Meter(Fraction(0), 6, 8),), pickup=Fraction(1, 2)
    )
    (_, music), *_ = read(Source(Path("it.mid"), data=write("midi", score)))
    assert labels_of(music) == {"meter": "6/8", "pickup": "1/2"}


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        ([], {}),
        ([(0, 0)], {}),
        ([(0, 0), (4, 3)], {"last_key": "A"}),
        ([(0, 0), (4, 3), (6, 0)], {}),
        ([(0, 0), (8, 3)], {}),  # after the last note
        ([(4, 3)], {}),
    ],
)
def test_the_key_at_the_end(keys, labels):
    notes = (Note(Fraction(0), 60, Fraction(8)),)
    score = Score((Part(notes),), keys=tuple(Key(Fraction(onset), sharps) for onset, sharps in keys))
    assert last_key_labels(score) == labels
    ((_, music),) = read(Source(Path("it.mid"), data=write("midi", score)))
    assert last_key_labels(music) == labels
