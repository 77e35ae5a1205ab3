"""Conditions of music: labels in training, --condition in generation."""

import json

import pytest

from composer.checkpoints.file import load_arrays, read_header, save_arrays
from composer.checkpoints.training_files import state_path


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll"])
def test_trained_conditions_can_be_used(composer, tunes, home, representation):
    options = ("--conditions", "meter,mode", "--max-updates", "2", "--set", "hidden=8", "--name", "mine")
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


def test_unknown_label(composer, tunes, tmp_path):
    composer("train", "abc", tunes, "--conditions", "composer").failed(
        "pieces of `abc` have no label 'composer'", "rhythm, meter, key, mode", code=2
    )
    tokens = tmp_path / "melody.tokens"
    tokens.write_text("55 _ 60 62\n")
    composer("train", "grid", tokens, "--conditions", "key").failed(
        "no piece has the label `key`", "these pieces have no labels; leave out --conditions", code=2
    )


def test_the_old_option_names_the_new_one(composer, tunes):
    composer("train", "abc", tunes, "-O", "conditions=meter,mode").failed(
        "has no option `conditions`", "use --conditions meter,mode", code=2
    )


def test_resume_and_fine_tuning_keep_the_conditions(composer, tunes, home, tmp_path):
    options = ("--set", "hidden=8", "--max-updates", "2")
    assert composer("train", "abc", tunes, "--conditions", "meter", *options, "--name", "first").code == 0
    assert composer("train", "abc", "--resume", "--name", "first", "--max-updates", "4").code == 0
    others = tmp_path / "others.abc"
    others.write_text(tunes.read_text().replace("M:4/4", "M:2/2"))
    assert composer("train", "abc", others, "--from", "first", "--max-updates", "2", "--name", "second").code == 0
    for name in ("first", "second"):
        assert read_header(home / "models" / f"{name}.safetensors").spec.conditions == {"meter": ("4/4", "6/8")}
    for flag in (("--resume", "--name", "first"), ("--from", "first")):
        composer("train", "abc", tunes, *flag, "--conditions", "mode").failed(
            f"--conditions cannot be combined with {flag[0]}", code=2
        )


def test_conditions_in_any_order(composer, tmp_path, home):
    """Weights belong to a condition by its number, which must survive the checkpoint."""
    tunes = tmp_path / "tunes.abc"
    bars = {"4/4": "C8|E4G4|C8|", "6/8": "C6|E3G3|C6|", "3/4": "C6|E4G2|C6|"}
    heads = [(meter, key) for meter in bars for key in ("C", "Am")]
    text = "".join(
        f"X:{number}\nM:{meter}\nL:1/8\nK:{key}\n{bars[meter]}\n\n" for number, (meter, key) in enumerate(heads)
    )
    tunes.write_text(text)
    options = ("--set", "hidden=8", "--max-updates", "2", "--name", "ordered")
    assert composer("train", "abc", tunes, "--conditions", "mode,meter", *options).code == 0
    spec = read_header(home / "models" / "ordered.safetensors").spec
    assert {name: len(values) for name, values in spec.conditions.items()} == {"meter": 3, "mode": 2}
    assert composer("eval", "abc", tunes, "--checkpoint", "ordered").code == 0
    assert composer("train", "abc", "--resume", "--name", "ordered", "--max-updates", "3").code == 0


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll"])
def test_models_trained_with_the_old_option_resume_and_generate(composer, tunes, home, representation):
    options = ("--conditions", "meter", "--set", "hidden=8", "--max-updates", "2", "--name", "old")
    assert composer("train", representation, tunes, *options).code == 0
    path = home / "models" / "old.safetensors"
    for each in (path, state_path(path)):
        arrays, text = load_arrays(each)
        header = json.loads(text)
        header["options"]["conditions"] = ["meter"]
        header["state"]["conditions"] = header["spec"]["conditions"]
        save_arrays(each, arrays, json.dumps(header))
    assert composer("train", representation, "--resume", "--name", "old", "--max-updates", "3").code == 0
    command = ("gen", representation, "--checkpoint", "old", "--length", "40", "--condition", "meter=6/8")
    assert composer(*command).code == 0
    assert read_header(path).spec.conditions == {"meter": ("4/4", "6/8")}


def test_likelihood_of_a_model_with_conditions(composer, tunes):
    options = ("--set", "hidden=8", "--max-updates", "2", "--name", "told")
    assert composer("train", "grid", tunes, "--conditions", "mode", *options).code == 0
    assert composer("eval", "grid", tunes, "--checkpoint", "told").code == 0
    assert composer("show", tunes, "--surprise", "--checkpoint", "told").code == 0
