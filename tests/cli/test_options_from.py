"""The options of a command from a dataclass, and back."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import typer

from composer.api import OptionError
from composer.api.fields import option
from composer.cli.options_from import OptionsCommand


@dataclass(frozen=True)
class Inner:
    shade: Literal["red", "blue"] | None = option(None, "A color.")
    depth: float = option(1.5, "A depth.", metavar="D")


@dataclass(frozen=True)
class Options:
    name: str = option(help="A name.", argument="NAME")
    files: tuple[str, ...] = option((), "Files.", argument="FILE...", repeated=True)
    count: int = option(2, "A count.", "-n")
    tags: tuple[str, ...] = option((), "Tags.", "--tag", repeated=True)
    fast: bool = option(False, "Be fast.", "-f")
    header: bool = option(True, "Leave out the header.")
    size: int | None = option(None, "A size.", parse=len)
    inner: Inner = option(Inner(), panel="Inner")
    extra: Any = field(default=None, metadata={"internal": True})


def parse(*arguments):
    received = []
    command = OptionsCommand("test", lambda console, options: received.append(options), Options)
    with command.make_context("test", list(arguments)) as context:
        command.invoke(context)
    return received[0]


def test_defaults():
    assert parse("a") == Options("a")


def test_values():
    arguments = ("a", "x", "y", "-n", "3", "--tag", "u", "--tag=v", "-f", "--no-header", "--size", "four")
    expected = Options("a", ("x", "y"), 3, ("u", "v"), True, False, 4, Inner("blue", 0.5))
    assert parse(*arguments, "--shade", "blue", "--depth", ".5") == expected


@pytest.mark.parametrize(
    ("words", "files", "others"),
    [
        ("a x --other b c", ["x"], ["b", "c"]),
        ("a x --other b c -n 3 y", ["x", "y"], ["b", "c"]),
        ("a x --other b - --other c", ["x"], ["b", "-", "c"]),
        ("a x --other b -- c", ["x", "c"], ["b"]),
        ("a --other b x y", ["x", "y"], ["b"]),  # the file is still missing
        ("--other b a x", ["x"], ["b"]),
        ("a --other b --other c x", ["x"], ["b", "c"]),
    ],
)
def test_an_option_of_several_files_takes_those_that_follow_after_the_arguments(words, files, others):
    @dataclass(frozen=True)
    class Several:
        name: str = option(help="A name.", argument="NAME")
        files: tuple[str, ...] = option((), "Files.", argument="FILE...", repeated=True)
        other: tuple[str, ...] = option((), "Other files.", metavar="FILE...", repeated=True)
        count: int = option(2, "A count.", "-n")

    received = []
    command = OptionsCommand("test", lambda console, options: received.append(options), Several)
    with command.make_context("test", words.split()) as context:
        command.invoke(context)
    assert (received[0].files, received[0].other) == (tuple(files), tuple(others))


def test_an_empty_text_is_a_value():
    @dataclass(frozen=True)
    class Texts:
        text: str | None = option(None, "A text.")

    received = []
    command = OptionsCommand("test", lambda console, options: received.append(options), Texts)
    with command.make_context("test", ["--text", ""]) as context:
        command.invoke(context)
    assert received == [Texts("")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("-n", "x"), "invalid value for --count: 'x'"), (("--shade", "green"), "invalid value for --shade: 'green'")],
)
def test_invalid_values(arguments, message):
    with pytest.raises(OptionError, match=message):
        parse("a", *arguments)


def test_unknown_options_and_missing_values():
    for arguments in (("--nothing",), ("--count",)):
        with pytest.raises(typer.TyperException):
            parse("a", *arguments)


def test_help():
    command = OptionsCommand("test", parse, Options)
    with command.make_context("test", ["a"]) as context:
        text = " ".join(command.get_help(context).split())
    for words in ("NAME", "[FILE...]", "-n, --count N", "A count. [default: 2]", "--no-header", "Inner:", "--depth D"):
        assert words in text
