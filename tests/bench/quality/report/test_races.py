"""Two trainings that are compared by time, and the plot of both."""

import pytest
from quality.report.races import Outcome, draw, outcome
from quality.training.store import Point


def test_a_race_ends_with_the_first_validation_that_is_as_good():
    published = [Point(1, 10, 3.0), Point(2, 20, 2.0), Point(3, 30, 2.5), Point(4, 40, 2.0)]
    assert outcome(published, [Point(1, 2, 2.5), Point(2, 4, 2.0), Point(3, 6, 1.0)]) == Outcome(2.0, 20, 4)
    assert outcome(published, [Point(1, 2, 2.5)]).share is None
    assert outcome(published, []) is None


def test_a_race_is_plotted(tmp_path):
    pytest.importorskip("matplotlib")
    curves = {
        name: [Point(at, at * slow, 1 + 1 / at) for at in range(1, 200)]
        for name, slow in (("published", 3), ("ours", 1))
    }
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    draw(curves, "bits per character", first, "who is first")
    draw(curves, "bits per character", again, "who is first")
    assert first.read_bytes() == again.read_bytes()
    assert len(first.read_bytes()) < 40_000
    assert "bits per character" in first.read_text()
