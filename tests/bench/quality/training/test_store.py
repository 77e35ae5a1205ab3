"""Curves in the benchmark's folder, and when a training is complete."""

import pytest
from quality.stages import Stage
from quality.training.store import Point, Store, Trained
from quality.training.trainings import Limits, is_whole


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_a_curve_continues_with_its_training(store):
    store.begin_curve("key", -1)
    for at in (1, 2, 3):
        store.validated("key", Point(at, at, 1.0))
    store.begin_curve("key", 2)
    store.validated("key", Point(3, 9.0, 0.5))
    assert store.curve("key") == [Point(1, 1, 1.0), Point(2, 2, 1.0), Point(3, 9.0, 0.5)]


def test_an_incomplete_line_is_ignored(store):
    store.begin_curve("key", -1)
    store.validated("key", Point(1, 1.0, 2.0))
    with (store.home / "curves" / "key.jsonl").open("a") as file:
        file.write("[2, 1.5")
    assert len(store.curve("key")) == 1


def test_a_training_is_complete_at_its_end_or_time_limit():
    cut = Trained("", 0, 1, 99.0, 1, None, "", "interrupted")
    assert is_whole(cut, 100)
    assert not is_whole(cut, 200)
    assert not is_whole(cut, None)
    assert is_whole(Trained("", 0, 1, 5.0, 1, None, "", "early"), 100)


def test_the_shorter_time_limit_counts():
    stage = Stage("a", ("composer train abc x",), seconds=30)
    assert Limits("data").seconds(stage) == 30
    assert Limits("data", 10).seconds(stage) == 10
    assert Limits("data").seconds(Stage("b", ("composer train abc x",))) is None
