"""What the README promises: its commands run from top to bottom in an empty folder."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

LIMITS = {"--from": ("--max-updates", 1), "": ("--max-updates", 2, "--set", "hidden=16")}
"""What cuts a training short. A fine-tuned model keeps its size."""
FEWER = {"--count": "16", "--generated": "4", "--candidates": "6"}
"""Pieces to generate, instead of tens."""
FEW = ("--particles", 4)
ONE = ("--candidates", 1)
"""What searches less, and generates a piece once, instead of the best of a few."""


def test_it_is_short():
    assert len(README.splitlines()) <= 220


def test_it_fits_120_columns():
    assert max(map(len, README.splitlines())) <= 120


@pytest.fixture
def audio_player(tmp_path_factory, monkeypatch):
    """A program that plays at once, and silently."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "aplay").write_text("#!/bin/sh\n")
    (folder / "aplay").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def programs(composer, audio_player):
    """What the examples call, as functions of arguments and stdin: this program, and stand-ins for others."""

    def ours(*arguments, stdin):
        arguments = tuple(FEWER.get(before, word) for before, word in pairwise(("", *arguments)))
        if arguments[0] == "gen" and not {"--candidates", "--keep-bars"} & set(arguments):
            arguments += ONE
        if arguments[0] == "harmonize" and "chords" not in arguments:
            arguments += FEW
        if arguments[0] == "train":
            arguments += LIMITS["--from" if "--from" in arguments else ""]
        result = composer(*arguments, stdin=stdin)
        assert result.code == 0, f"{arguments}: {result.err}"
        return result.data

    def abcm2ps(tune, option, output, stdin):
        assert Path(tune).read_text().startswith("X:")
        assert option == "-O"

    return {"composer": ours, "abcm2ps": abcm2ps}


@pytest.mark.timeout(400)
def test_every_example_runs_in_an_empty_folder(programs, tmp_path, monkeypatch):
    """Each file that an example needs was made by an earlier one."""
    monkeypatch.chdir(tmp_path)
    for example in re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        for line in example.splitlines():
            data = b""
            for name, *arguments in pipeline(line):
                data = programs[name](*arguments, stdin=data)


def pipeline(line):
    """Return the commands of a line, which are joined by `|`."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    commands = [[]]
    for word in words:
        assert not word or set(word) - set("();<>&"), f"the test cannot run {word!r}: {line}"
        commands = [*commands, []] if word == "|" else [*commands[:-1], [*commands[-1], word]]
    return commands if commands[0] else []


def test_most_examples_are_run():
    assert len(re.findall(r"^```sh skip", README, re.MULTILINE)) <= 2


def test_its_links_lead_somewhere():
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
