"""A representation's wishes become flags of `composer gen`."""

from dataclasses import dataclass, field

import pytest

from composer.registry import plugins as registry


@dataclass(frozen=True)
class Wishes:
    bars: int = field(default=0, metadata={"help": "how many bars"})
    in_minor: bool = field(default=False, metadata={"help": "a sad one"})


@pytest.fixture
def wished(monkeypatch):
    """What the abc representation is asked for."""
    kind = registry.representation("abc")
    asked = []
    monkeypatch.setattr(kind, "Controls", Wishes)
    monkeypatch.setattr(kind, "constraint", lambda self, wishes=None, given=None: asked.append(wishes))
    return asked


def test_each_is_a_flag(composer, checkpoint, wished):
    arguments = ("--checkpoint", checkpoint, "--length", "10", "--quiet")
    composer("gen", "--bars", "8", "abc", "--in-minor", *arguments)
    composer("gen", "abc", "--bars=4", *arguments)
    composer("gen", "abc", *arguments)
    assert wished == [Wishes(8, True), Wishes(4, False), Wishes()]


def test_they_are_explained_and_checked(composer, wished):
    text = composer("gen", "abc", "--help").out
    assert "What abc can be asked for" in text
    assert "--bars BARS" in text
    assert "--in-minor" in text
    composer("gen", "abc", "--bars", "many").failed("--bars cannot be `many`", "whole number", code=2)


def test_others_are_no_options(composer, wished):
    composer("gen", "abc", "--bras", "8").failed("no option `--bras`", code=2)


def test_wishes_that_others_have_are_told(composer):
    composer("gen", "text", "--key", "G").failed("`text` has no `--key`", "abc, grid and pianoroll", code=2)
