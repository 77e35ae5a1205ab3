"""Conditions of music: labels in training, --condition in generation."""

import pytest

from composer.checkpoints.file import read_header


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll"])
def test_trained_conditions_can_be_used(composer, tunes, home, representation):
    options = ("-O", "conditions=meter,mode", "--max-updates", "2", "--set", "hidden=8", "--name", "mine")
    assert composer("train", representation, tunes, *options).code == 0
    spec = read_header(home / "models" / "mine.safetensors").spec
    assert spec.conditions == {"meter": ("4/4", "6/8"), "mode": ("major", "minor")}
    command = ("gen", representation, "--seed", "1", "--length", "40", "--format", "midi", "--checkpoint", "mine")
    pieces = {
        composer(*command, *condition).data
        for condition in ((), ("--condition", "meter=6/8"), ("--condition", "mode=min"))
    }
    assert len(pieces) > 1, "a condition must change the piece of a seed"
    generated = composer(
        "gen", representation, "--length", "40", "--format", "abc", "--checkpoint", "mine", "--condition", "meter=6/8"
    )
    assert representation == "abc" or "M:6/8\n" in generated.out
    composer(*command, "--condition", "meter=7/8").failed("no meter '7/8'", code=2)
    assert "meter: 4/4, 6/8" in composer("show", "mine").out


def test_unknown_label(composer, tunes):
    composer("train", "abc", tunes, "-O", "conditions=composer").failed("no piece has the label `composer`", code=2)
