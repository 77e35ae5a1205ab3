"""Presets: every value says where it comes from, and is one that its plugins take."""

import re

import pytest

from composer.api import UsageError
from composer.data.splits import SplitSettings
from composer.registry import options
from composer.registry import plugins as registry
from composer.training import presets
from composer.training.settings import Settings

EVERY = list(presets.all_presets())


@pytest.mark.parametrize("preset", EVERY, ids=lambda preset: preset.name)
class TestPreset:
    def test_every_value_says_where_it_comes_from(self, preset):
        tables = preset.text[preset.text.index("\n[") :]
        values = [line for line in tables.splitlines() if "=" in line]
        assert values
        assert [line for line in values if not re.search(r"# (\[S\]|\[R\]|ours)", line)] == []

    def test_its_plugins_take_its_values(self, preset):
        kind, model = registry.representation(preset.representation), registry.model(preset.model)
        registry.check_pair(kind, model)
        kind(options.parse(kind.Options, presets.as_pairs(preset.options), "it"))
        options.parse(model.Config, presets.as_pairs(preset.model_settings), "it")
        options.parse(Settings, presets.as_pairs(preset.training), "it")
        SplitSettings(**preset.split)

    def test_it_says_whether_training_may_end_early(self, preset):
        """A published number of epochs, of pretraining too, is not to be cut short by our own default."""
        assert "patience" in preset.training
        if re.search(r"^(epochs|pretraining) = \d+ +# \[", preset.text, re.MULTILINE):
            assert preset.training["patience"] == 0

    def test_its_command_names_it(self, preset):
        assert preset.command.startswith(f"composer train {preset.representation} ")
        assert preset.command.endswith(f"--preset {preset.name}")


def test_an_unknown_one_lists_the_nearest():
    with pytest.raises(UsageError, match="unknown preset 'lyric'") as caught:
        presets.preset("lyric")
    assert "`lyrics`" in caught.value.hint
