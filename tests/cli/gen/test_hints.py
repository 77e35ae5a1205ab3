"""Hints for pieces without notes, from how they were sampled."""

import pytest

from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.cli.gen.hints import hint_for_silence
from composer.registry import plugins as registry


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({}, "try another --seed, or a lower --temp"),
        ({"temperature": 1.4}, "a lower --temp"),
        ({"temperature": 0.4}, "try another --seed, or a higher --temp"),
        ({"temperature": TemperatureRamp(0.2, 0.5, 40)}, "a higher --temp"),
        ({"temperature": TemperatureRamp(0.2, 1.5, 40)}, "a lower --temp"),
        ({"temperature": 0}, "try a higher --temp; with this one every --seed gives the same piece"),
        ({"top_k": 1}, "try a higher --top-k; with this one"),
        ({"top_k": 3}, "a looser --top-k"),
        ({"top_k": 40}, "a lower --temp"),
        ({"min_p": 0.5}, "a looser --min-p"),
        ({"top_p": 0.2, "min_p": 0.5}, "a looser --top-p and --min-p"),
    ],
)
def test_hint_for_silence(filters, words):
    assert words in hint_for_silence(SamplingParams(**filters))


@pytest.mark.parametrize("count", [1, 2])
def test_hint_is_shown(composer, checkpoint, tmp_path, monkeypatch, count):
    monkeypatch.setattr(registry.representation("abc"), "score", lambda self, piece: None)
    arguments = ("--length", "40", "--count", count, "--temp", "0", "--output", tmp_path / "%d.mid")
    result = composer("gen", "abc", "--checkpoint", checkpoint, "--seed", "1", *arguments)
    assert result.code == 1
    assert "hint: try a higher --temp; with this one" in result.err
