"""Pieces that do not close get other last bars, and can be reproduced."""

import pytest

from composer.cli.gen.endings import unclosed_note
from composer.formats import provenance
from composer.formats.abc.reader.score import read_score

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


UNCLOSED = "not close on the tonic"


@pytest.mark.parametrize(
    ("numbers", "count", "tries", "note"),
    [
        ([1], 1, 4, "the piece does not close on the tonic; --ending-tries 20 tries more"),
        ([7], 9, 300, "piece 7 does not close on the tonic; --ending-tries 1000 tries more"),
        ([2, 5, 9], 9, 1000, "pieces 2, 5 and 9 do not close on the tonic"),
        (list(range(1, 12)), 2000, 8, "11 of 2,000 pieces do not close on the tonic; --ending-tries 40 tries more"),
    ],
)
def test_notes_on_pieces_that_do_not_close(numbers, count, tries, note):
    assert unclosed_note(numbers, count, tries) == note


@pytest.mark.parametrize("options", [("--count", "6"), ("--candidates", "6", "--keep", "6")])
def test_pieces_that_do_not_close_are_named(composer, tmp_path, options):
    grid = (*GRID, "--key", "Bphr", *options, "--ending-tries", "2", "--force", "-o", tmp_path / "%d.abc")
    said = composer(*grid).err
    last = {number: read_score((tmp_path / f"{number}.abc").read_text()).notes[-1].pitch % 12 for number in range(1, 7)}
    numbers = [number for number, pitch in last.items() if pitch != 11]
    assert len(numbers) > 1
    assert f"{unclosed_note(numbers, 6, 2)}\n" in said
    assert UNCLOSED not in composer(*grid, "--quiet").err
    assert UNCLOSED not in composer(*grid[:-4], "1", *grid[-3:]).err, "endings as they come need no note"
