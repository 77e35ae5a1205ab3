"""Features of the steps of texts and scores, and the units that follow them."""

from fractions import Fraction

import numpy as np
import pytest

from composer.analysis.hidden_states.music_features import music_features
from composer.analysis.hidden_states.text_features import text_features
from composer.analysis.hidden_states.unit_features import clearest_units, responses
from composer.api import Meter, Note, Part, Score

TUNE = 'M:3/4\nK:C\nC2|"G7"Dc\'|z|\n'


def test_features_of_abc():
    found = text_features(list(TUNE), "abc")
    body = TUNE.index("C2|")
    assert found["header"].tolist() == [1.0] * body + [0.0] * (len(TUNE) - body)
    bar_lines = {at for at, value in enumerate(found["bar line"]) if value == 1}
    assert bar_lines == {at for at, letter in enumerate(TUNE) if letter == "|"}
    assert found["chord symbol"][TUNE.index('"')] == 1
    assert np.isnan(found["chord symbol"][0])
    pitches = found["pitch"]
    assert pitches[TUNE.index("Dc")] - pitches[body] == 1
    assert pitches[TUNE.index("c'")] - pitches[body] == 14
    assert found["rest"][TUNE.index("z")] == 1
    assert np.nanmax(found["place in the bar"]) == 1


def test_a_step_of_several_letters_has_their_mean():
    found = text_features(["Ab", "", "c.\n"], None)
    assert found["capital letter"][0] == 0.5
    assert np.isnan(found["capital letter"][1])
    assert found["punctuation"][2] == pytest.approx(1 / 3)


def test_features_of_a_score_with_a_pickup():
    notes = (Note(Fraction(0), 60, Fraction(1)), Note(Fraction(1), 64, Fraction(2)), Note(Fraction(1), 67, Fraction(1)))
    score = Score((Part(notes),), meters=(Meter(Fraction(0), 3, 4),), pickup=Fraction(1))
    found = music_features(score, [Fraction(half, 2) for half in range(8)])
    assert found["bar line"].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert found["place in the bar"][:3] == pytest.approx([2 / 3, 5 / 6, 0])
    assert found["beat"].tolist() == [1, 0] * 4
    assert found["notes at once"].tolist() == [1, 1, 2, 2, 1, 1, 0, 0]
    assert found["pitch of the highest note"][:4].tolist() == [60, 60, 67, 67]
    assert found["rest"].tolist() == [0] * 6 + [1, 1]
    assert found["new note"].tolist() == [1, 0, 1, 0, 0, 0, 0, 0]


def test_units_that_follow_a_feature_come_first():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(200, 6)).astype(np.float32)
    beat, pitch = np.arange(200) % 4 == 0, rng.normal(size=200)
    states[:, 4] = -2.0 * beat
    states[:, 1] = pitch + 0.5 * states[:, 1]
    pitch[:20] = np.nan
    features = {"pitch": pitch, "beat": beat.astype(float), "constant": np.ones(200)}
    first, second, third = clearest_units(states, features, 3)
    assert (first.unit, first.feature, first.steps) == (5, "beat", 200)
    assert first.r == pytest.approx(-1)
    assert (second.unit, second.feature, second.steps) == (2, "pitch", 180)
    assert 0.8 < second.r < 1
    assert third.unit not in {first.unit, second.unit}
    [chosen] = responses(states, features, [5])
    assert chosen == first


def test_without_features_by_variance():
    states = np.array([[0, 1, 0.1], [0, -1, 0.2]], np.float32)
    assert [each.unit for each in clearest_units(states, {}, 2)] == [2, 3]
