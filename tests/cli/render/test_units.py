"""`composer show --units`: signs, colors, JSON, and errors."""

import json
import re

import pytest

from composer.checkpoints.store import bundled
from composer.cli.render.units import SIGNS


@pytest.fixture
def shown(composer, checkpoint, tunes):
    """Run `composer show --units` on the second of the tunes, with the small model."""

    def run(*arguments, **terminal):
        return composer("show", tunes, "--units", "--tune", "2", "--checkpoint", checkpoint, *arguments, **terminal)

    return run


def test_signs_below_each_line_without_color(shown):
    result = shown()
    assert result.code == 0, result.err
    heading, legend, *lines = result.out.splitlines()
    assert re.fullmatch(r"The Wet Field: \d+ characters, 16 units, model small", heading)
    assert re.fullmatch(r"unit \d+: [\w ]+, r = [+-]\d\.\d\d over \d+ steps; ▁ [+-]\d\.\d\d, █ [+-]\d\.\d\d", legend)
    at = lines.index("|:ABA FED|d2d cBA|GBG FAF|E3 D3:|")
    assert set(lines[at + 1]) <= set(SIGNS)
    assert len(lines[at + 1]) == len(lines[at]) + 1  # and the end of the line
    assert len(re.findall(r"^unit ", result.out, re.MULTILINE)) == 4
    assert "\x1b" not in result.out


def test_long_lines_are_wrapped(shown):
    assert max(map(len, shown(COLUMNS="40").out.splitlines()[2:4])) <= 40


@pytest.mark.parametrize(
    ("environ", "background"),
    [({}, "48;2;"), ({"COLORTERM": ""}, "4[1346]m")],
)
def test_colored_text(shown, environ, background):
    drawn = shown(terminal=True, **environ).out
    assert len(set(re.findall(rf"\x1b\[[\d;]*({background}[\d;]*)", drawn))) > 1
    plain = re.sub(r"\x1b\[[\d;]*m", "", drawn)
    assert "|:ABA FED|d2d cBA|GBG FAF|E3 D3:|" in plain


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_signs_on_a_terminal_without_color(shown, environ):
    assert shown(terminal=True, **environ).out == shown().out


def test_given_units_as_json(shown):
    [piece] = json.loads(shown("--unit", "3,16", "--json").out)
    assert [each["unit"] for each in piece["units"]] == [3, 16]
    assert {len(each["activations"]) for each in piece["units"]} == {len(piece["texts"])}
    assert all(-1 <= each["r"] <= 1 for each in piece["units"])


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_row_of_each_unit_below_the_piano_roll(composer, name, tmp_path):
    path = tmp_path / "tune.mid"
    assert composer("gen", name, "--seed", "4", "--length", "64", "--output", path).code == 0
    result = composer("show", path, "--unit", "7,12", "--checkpoint", bundled(name))
    assert result.code == 0, result.err
    assert max(map(len, result.out.splitlines())) <= 80
    rows = re.findall(rf"^ +(7|12) ([{SIGNS}]+)$", result.out, re.MULTILINE)
    assert [unit for unit, _ in rows] == ["7", "12"] * (len(rows) // 2)
    assert len(set("".join(signs for _, signs in rows))) > 3
    drawn = composer("show", path, "--unit", "7,12", "--checkpoint", bundled(name), terminal=True).out
    assert "▀▀" in drawn
    assert len(re.findall(r"^(?:\x1b\[[\d;]*m)* +(?:7|12) ", drawn, re.MULTILINE)) == len(rows)


def test_control_characters_are_not_written(composer, tmp_path):
    from composer.cli.render.units import _visible

    assert _visible("\x1b") == "\N{REPLACEMENT CHARACTER}"
    assert _visible("é") == "é"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--units", "--surprise"], 2, ["--surprise cannot be combined with --units"]),
        (["--json"], 2, ["--json needs --units"]),
        (["--unit", "a"], 2, ["invalid value for --unit: 'a'"]),
        (["--unit", "0"], 2, ["invalid value for --unit: '0'"]),
        (["--unit", "17", "-c", "{model}"], 2, ["invalid value for --unit: '17'", "has units 1 to 16"]),
        (["--units", "-c", "absent"], 1, ["absent"]),
        (["--units", "--tune", "9", "-c", "{model}"], 1, ["has no piece 9"]),
    ],
)
def test_errors(composer, tunes, checkpoint, arguments, code, words):
    arguments = [word.format(model=checkpoint) for word in arguments]
    composer("show", tunes, *arguments).failed(*words, code=code)


def test_a_model_is_not_a_piece(composer, checkpoint):
    composer("show", checkpoint, "--units").failed("is a model, not a piece", "--units --checkpoint", code=2)
