"""Presets: every value has a source and is valid."""

import re

import pytest

from composer.api import UsageError
from composer.data.splits import SplitSettings
from composer.registry import options
from composer.registry import plugins as registry
from composer.training import presets
from composer.training.settings import Settings

PRESETS = list(presets.all_presets())


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
class TestPreset:
    def test_every_value_has_a_source(self, preset):
        tables = preset.text[preset.text.index("\n[") :]
        values = [line for line in tables.splitlines() if "=" in line]
        assert values
        assert [line for line in values if not re.search(r"# (\[S\]|\[R\]|ours)", line)] == []

    def test_its_values_are_valid(self, preset):
        kind, model = registry.representation(preset.representation), registry.model(preset.model)
        registry.check_pair(kind, model)
        kind(options.parse(kind.Options, presets.as_pairs(preset.options), "it"))
        options.parse(model.Config, presets.as_pairs(preset.model_settings), "it")
        options.parse(Settings, presets.as_pairs(preset.training), "it")
        SplitSettings(**preset.split)

    def test_it_sets_early_stopping(self, preset):
        """A published number of epochs, of pretraining too, must not be cut by our default."""
        assert "patience" in preset.training
        if re.search(r"^(epochs|pretraining) = \d+ +# \[", preset.text, re.MULTILINE):
            assert preset.training["patience"] == 0

    def test_its_command(self, preset):
        assert preset.command.startswith(f"composer train {preset.representation} ")
        assert preset.command.endswith(f"--preset {preset.name}")


def test_an_unknown_preset():
    with pytest.raises(UsageError, match="unknown preset 'lyric'") as caught:
        presets.preset("lyric")
    assert "`lyrics`" in caught.value.hint
