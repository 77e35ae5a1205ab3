"""A representation's controls are options of `composer gen`."""

from dataclasses import dataclass, field

import pytest

from composer.registry import plugins as registry


@dataclass(frozen=True)
class ExampleControls:
    bars: int = field(default=0, metadata={"help": "how many bars"})
    in_minor: bool = field(default=False, metadata={"help": "a sad one"})


@pytest.fixture
def received(monkeypatch):
    """The controls that the abc representation receives."""
    kind = registry.representation("abc")
    controls_received = []
    monkeypatch.setattr(kind, "Controls", ExampleControls)
    monkeypatch.setattr(
        kind, "constraint", lambda self, controls=None, context=None: controls_received.append(controls)
    )
    return controls_received


def test_each_control_is_an_option(composer, checkpoint, received):
    arguments = ("--checkpoint", checkpoint, "--length", "10", "--quiet")
    composer("gen", "--bars", "8", "abc", "--in-minor", *arguments)
    composer("gen", "abc", "--bars=4", *arguments)
    composer("gen", "abc", *arguments)
    assert received == [ExampleControls(8, True), ExampleControls(4, False), ExampleControls()]


def test_help_and_invalid_values(composer, received):
    text = composer("gen", "abc", "--help").out
    assert "Controls of abc:" in text
    assert "--bars N" in text
    assert "--in-minor" in text
    composer("gen", "abc", "--bars", "many").failed("invalid value for --bars: 'many'", "whole number", code=2)


@pytest.mark.parametrize("limit", ["0", "-5", "1001"])
@pytest.mark.parametrize("representation", ["abc", "grid", "text"])
def test_limits_of_repeats_out_of_range(composer, representation, limit):
    found = composer("gen", representation, f"--repeat-limit={limit}")
    found.failed(f"invalid value for --repeat-limit: '{limit}'", "use 1 to 1,000", code=2)


def test_unknown_option(composer, received):
    composer("gen", "abc", "--bras", "8").failed("unknown option --bras", "did you mean --bars?", code=2)


def test_option_of_other_representations(composer):
    composer("gen", "text", "--key", "G").failed(
        "`text` has no option --key", "`composer gen abc`, `composer gen grid` or `composer gen pianoroll`", code=2
    )


def test_missing_value(composer):
    composer("gen", "abc", "--key").failed("option --key needs a value", "composer gen", code=2)


@pytest.mark.parametrize(
    ("arguments", "format_start"),
    [
        (("--format", "abc", "pianoroll", "--max-notes", "2", "--length", "40"), b"X:1\n"),
        (("--title", "grid", "abc", "--rhythm", "jig"), b"X:1\n"),
        (("--key", "G", "--bars=4", "abc"), b"X:1\n"),
    ],
)
def test_options_before_the_representation(composer, arguments, format_start):
    result = composer("gen", *arguments, "--seed", "1", "-q")
    assert result.code == 0, result.err
    assert result.data.startswith(format_start)


def test_completion(composer):
    from composer.cli.app import command_tree
    from composer.cli.command import CONTEXT

    program = command_tree()
    with program.make_context("composer", ["--version"], resilient_parsing=True, **CONTEXT) as context:
        command = program.get_command(context, "gen")
        with command.make_context("gen", ["abc"], parent=context, resilient_parsing=True) as inner:
            words = {item.value for item in command.shell_complete(inner, "--k")}
            [rhythm] = [param for param in command.get_params(inner) if "--rhythm" in param.opts]
            values = {item.value for item in rhythm.shell_complete(inner, "r")}
    assert words == {"--keep", "--keep-bars", "--key"}
    assert "reel" in values


def test_tonic_that_needs_its_mode(composer):
    result = composer("gen", "abc", "--key", "G#", "--mode", "minor", "--seed", "1")
    assert result.code == 0
    assert "K:G#m" in result.out
    composer("gen", "abc", "--key", "Ab", "--mode", "locrian").failed("seven sharps or flats", "use --key G#", code=2)


def test_the_help_says_where_the_meter_is_from(composer):
    text = " ".join(composer("gen", "grid", "--help").out.split())
    assert "[default: that of --prime, else one of the training data; 4/4 for models without -O positions=on]" in text
