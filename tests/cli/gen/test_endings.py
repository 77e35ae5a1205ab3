"""Pieces that do not close get other last bars, and can be reproduced."""

import pytest

from composer.formats import provenance

GRID = ("gen", "grid", "--bars", "4", "--length", "200", "--seed", "1", "--format", "abc")


@pytest.mark.parametrize("options", [("--candidates", "1", "--count", "2"), ("--candidates", "3", "--keep", "2")])
def test_endings_are_recorded_and_reproduced(composer, tmp_path, options):
    path = tmp_path / "tunes.abc"
    assert composer(*GRID, *options, "-o", path).code == 0
    found = [each.facts for each in provenance.read(path.read_bytes(), "tunes")]
    assert any("ending" in facts and facts["ending"]["draws"] > facts["ending"]["step"] for facts in found)
    assert composer("replay", path, "--check").code == 0


def test_endings_are_taken_as_they_come(composer):
    assert '"ending"' not in composer(*GRID, "--candidates", "1", "--count", "2", "--ending-tries", "1").out
    composer("gen", "grid", "--ending-tries", "0").failed("invalid value for --ending-tries: '0'", code=2)
