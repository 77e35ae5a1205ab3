"""Recipes of earlier versions, whose options had other names."""

import json

import pytest

from composer.api import ReadError, SequenceSpec, StepKind, UsageError
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.cli.gen import recipe
from composer.formats import WriteSettings

OLD_RECIPE = """{"representation":"pianoroll","length":200,"seed":3,"filters":{"temperature":"0.6..1.2/400","top_k":20,
"top_p":1.0,"min_p":0.01},"wishes":{"bars":"4","most_notes":"3","most_holds":"2"},"format":"midi","writing":{"tempo":
"90.5","instrument":"40","velocity":"70","title":"Old"},"device":"cpu","width":3,"max_copy":16,"model":"e739bb784a",
"plugins":{"pianoroll":"composer-cli 0.1.0","attn-lstm":"composer-cli 0.1.0"},"numpy":"2.4.6"}"""
"""A recipe from before options were renamed."""


def test_an_old_recipe():
    facts = recipe.current_names(json.loads(OLD_RECIPE))
    recipe.check(facts, "tune")
    options = recipe.options_from(facts)
    assert options.sampling == SamplingParams(TemperatureRamp(0.6, 1.2, 400), 20, 1.0, 0.01, per_unit=True)
    assert (options.batch_size, options.unconstrained, options.max_copy) == (3, False, 16)
    assert (options.controls.bars, options.controls.max_notes, options.controls.max_sustained) == (4, 3, 2)
    assert options.writing == WriteSettings("Old", 90.5, 40, 70)


def test_temperature_of_whole_frames_is_recorded():
    facts = recipe.current_names(json.loads(OLD_RECIPE)) | {"joint": True}
    recipe.check(facts, "tune")
    assert not recipe.options_from(facts).sampling.per_unit
    assert list(recipe._invalid_facts(facts | {"joint": 1})) == ["joint"]


def test_frames_at_a_temperature_are_reproduced(composer, tmp_path):
    for temperature, is_joint in (("0.6", True), ("1", False)):
        file = tmp_path / "piece.mid"
        arguments = ("--seed", "1", "--length", "24", "--candidates", "1", "--temp", temperature, "--force")
        assert composer("gen", "pianoroll", *arguments, "--output", file).code == 0
        assert (b'"joint":true' in file.read_bytes()) == is_joint
        assert composer("replay", file, "--check").code == 0


@pytest.mark.parametrize("fact", recipe.MAX_RECORDED)
def test_a_file_that_asks_for_too_much_is_refused_before_anything_is_generated(monkeypatch, fact):
    facts = recipe.current_names(json.loads(OLD_RECIPE)) | {fact: recipe.MAX_RECORDED[fact] + 1}
    with pytest.raises(ReadError, match=f"tune asks for a {fact} of .*, more than") as caught:
        recipe.check(facts, "tune")
    assert "COMPOSER_LIMITS=2" in caught.value.hint
    monkeypatch.setenv("COMPOSER_LIMITS", "2")
    recipe.check(facts, "tune")


def test_a_primer_is_unpacked_up_to_a_limit(monkeypatch):
    spec, text = SequenceSpec(StepKind.TOKENS, 9, 0), recipe.pack_steps([1] * 1000)
    assert list(recipe.unpack_steps(text, spec)) == [1] * 1000
    monkeypatch.setattr(recipe, "MAX_PRIMER_BYTES", 1000)
    with pytest.raises(UsageError, match="the recorded primer is larger than") as caught:
        list(recipe.unpack_steps(text, spec))
    assert "COMPOSER_LIMITS=2" in caught.value.hint
