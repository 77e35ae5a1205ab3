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


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("abc",), "for abc"),
        (("text",), "for text"),
        (("grid", "--temp", "0"), "with --temp 0, which always generates the same ending"),
        (("pianoroll", "--prime-text", "K:C\nCDEF|GABc|", "--keep-bars", "1"), "with --keep-bars"),
    ],
)
def test_tries_without_effect_are_an_error(composer, arguments, reason):
    error = f"--ending-tries 5 has no effect {reason}"
    composer("gen", *arguments, "--ending-tries", "5").failed(error, "leave out --ending-tries", code=2)
    composer("gen", "grid", "--choose", "2", "--ending-tries", "5").failed("--choose and --ending-tries", code=2)
