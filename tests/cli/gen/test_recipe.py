"""Recipes of earlier versions, whose options had other names."""

import json

import pytest

from composer.api import ReadError, SequenceSpec, StepKind, UsageError
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.cli.gen import recipe
from composer.formats import WriteSettings, provenance

OLD_RECIPE = """{"representation":"pianoroll","length":200,"seed":3,"filters":{"temperature":"0.6..1.2/400","top_k":20,
"top_p":1.0,"min_p":0.01},"wishes":{"bars":"4","most_notes":"3","most_holds":"2"},"format":"midi","writing":{"tempo":
"90.5","instrument":"40","velocity":"70","title":"Old"},"device":"cpu","width":3,"max_copy":16,"model":"e739bb784a",
"plugins":{"pianoroll":"composer-cli 0.1.0","attn-lstm":"composer-cli 0.1.0"},"numpy":"2.4.6"}"""
"""A recipe from before options were renamed."""
END = recipe.pack_steps([0])


def test_an_old_recipe():
    facts = recipe.current_names(json.loads(OLD_RECIPE))
    recipe.check(facts, "tune")
    options = recipe.options_from(facts)
    assert options.sampling == SamplingParams(TemperatureRamp(0.6, 1.2, 400), 20, 1.0, 0.01, per_unit=True)
    assert (options.batch_size, options.unconstrained, options.max_copy) == (3, False, 16)
    assert (options.controls.bars, options.controls.max_notes, options.controls.max_sustained) == (4, 3, 2)
    assert options.writing == WriteSettings("Old", 90.5, 40, 70)


@pytest.mark.parametrize("limit", [0, -5, 1001])
def test_grid_of_versions_that_took_any_repeat_limit(composer, tmp_path, limit):
    file = tmp_path / "piece.mid"
    assert composer("gen", "grid", "--seed", "1", "--bars", "2", "--repeat-limit", "1", "--output", file).code == 0
    (recorded,) = provenance.read(file.read_bytes(), "piece")
    facts = {**recorded.facts, "controls": {**recorded.facts["controls"], "repeat_limit": limit}}
    recipe.check(facts, "piece")
    controls = recipe.options_from(facts).controls
    assert (controls.bars, controls.repeat_limit) == (2, limit)
    assert recipe._recorded(controls) == facts["controls"]
    music = composer("gen", "grid", "--seed", "1", "--bars", "2", "--format", "midi", "--no-provenance").data
    file.write_bytes(provenance.mark("midi", music, recorded._replace(facts=facts)))
    assert "damaged" not in composer("replay", file, "--check").err
    facts["controls"]["bars"] = -1
    with pytest.raises(ReadError, match="damaged provenance in piece: invalid value for --bars: '-1'"):
        recipe.check(facts, "piece")


def test_a_minimum_of_no_notes_is_recorded(composer, tmp_path):
    file = tmp_path / "piece.mid"
    options = ("--seed", "1", "--length", "24", "--candidates", "1", "--output", file, "--force")
    for given in ((), ("--min-notes", "0")):
        assert composer("gen", "pianoroll", *options, *given).code == 0
        (recorded,) = provenance.read(file.read_bytes(), "piece")
        assert recorded.facts.get("controls", {}) == ({"min_notes": 0} if given else {})
        assert composer("replay", file, "--check").code == 0


def test_temperature_of_whole_frames_is_recorded():
    facts = recipe.current_names(json.loads(OLD_RECIPE)) | {"joint": True}
    recipe.check(facts, "tune")
    assert not recipe.options_from(facts).sampling.per_unit
    assert list(recipe._invalid_facts(facts | {"joint": 1})) == ["joint"]


@pytest.mark.parametrize(
    "ending",
    [
        "x", {"step": 1}, {"step": -1, "draws": 2}, {"step": 1, "draws": "2"}, {"step": 1, "draws": 10**30},
        {"step": 10**30, "draws": 2},
    ],
)  # fmt: skip
def test_damaged_endings(ending):
    facts = recipe.current_names(json.loads(OLD_RECIPE)) | {"ending": ending}
    assert next(recipe._invalid_facts(facts)) == "ending"
    facts["ending"] = {"step": 1, "draws": 2}
    assert not list(recipe._invalid_facts(facts))


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
    with pytest.raises(ReadError, match=r"tune asks for .*, more than") as caught:
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


def test_edits_are_unpacked_up_to_a_limit_together(monkeypatch):
    spec, edits = SequenceSpec(StepKind.TOKENS, 9, 0), [recipe.pack_steps([1] * 100)] * 9
    assert list(recipe.unpack_edits(edits, spec)) == [(1,) * 100] * 9
    monkeypatch.setattr(recipe, "MAX_PRIMER_BYTES", 1000)
    unpacked = recipe.unpack_edits(edits, spec)
    assert len([next(unpacked) for _ in range(4)]) == 4
    with pytest.raises(UsageError, match="the recorded edits are together larger than"):
        next(unpacked)


@pytest.mark.parametrize("facts", [{"primer": END}, {"choices": [{"steps": END, "labels": {}}]}])
def test_a_recorded_end_is_refused(composer, tmp_path, facts):
    file = tmp_path / "tune.abc"
    assert composer("gen", "abc", "--seed", "1", "--bars", "4", "--candidates", "1", "--output", file).code == 0
    (made_by,) = provenance.read(file.read_bytes(), "tune")
    changed = provenance.Provenance(made_by.program, {**made_by.facts, **facts})
    tune = "".join(provenance.without_provenance(file.read_text("utf-8").splitlines(keepends=True)))
    file.write_bytes(provenance.mark("abc", tune.encode(), changed))
    composer("replay", file).failed("the recorded primer does not fit this model", "--checkpoint FILE", code=2)
