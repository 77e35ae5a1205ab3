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
    assert "Controls of abc:" in text
    assert "--bars BARS" in text
    assert "--in-minor" in text
    composer("gen", "abc", "--bars", "many").failed("invalid value for --bars: 'many'", "whole number", code=2)


def test_others_are_no_options(composer, wished):
    composer("gen", "abc", "--bras", "8").failed("unknown option --bras", "did you mean --bars?", code=2)


def test_wishes_that_others_have_are_told(composer):
    composer("gen", "text", "--key", "G").failed("text has no option --key", "abc, grid and pianoroll", code=2)


def test_a_value_that_is_missing(composer):
    composer("gen", "abc", "--key").failed("option --key needs a value", "composer gen", code=2)


@pytest.mark.parametrize(
    ("arguments", "format_start"),
    [
        (("--format", "abc", "pianoroll", "--max-notes", "2", "--length", "40"), b"X:1\n"),
        (("--title", "grid", "abc", "--rhythm", "jig"), b"X:1\n"),
        (("--key", "G", "--bars=4", "abc"), b"X:1\n"),
    ],
)
def test_words_before_the_representation(composer, arguments, format_start):
    result = composer("gen", *arguments, "--seed", "1", "-q")
    assert result.code == 0, result.err
    assert result.data.startswith(format_start)


def test_they_are_completed(composer):
    from composer.cli.app import command_tree
    from composer.cli.command import CONTEXT

    program = command_tree()
    with program.make_context("composer", ["--version"], resilient_parsing=True, **CONTEXT) as context:
        command = program.get_command(context, "gen")
        with command.make_context("gen", ["abc"], parent=context, resilient_parsing=True) as inner:
            words = {item.value for item in command.shell_complete(inner, "--k")}
    assert words == {"--keep", "--keep-bars", "--key"}
