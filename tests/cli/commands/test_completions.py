"""Completion scripts in the shells that they are for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHELLS = ("bash", "zsh", "fish", "powershell")


def needs(shell):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed")


@pytest.fixture
def scripts(composer, tmp_path):
    """The scripts, and a `composer` on the path for them to ask."""
    for shell in SHELLS:
        (tmp_path / shell).write_text(composer("completions", shell).out)
    (tmp_path / "composer").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m composer "$@"\n')
    (tmp_path / "composer").chmod(0o755)
    return tmp_path


def shell(name, script, folder, *arguments):
    environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    done = subprocess.run(
        [name, *arguments, "-c", script], capture_output=True, text=True, env=environ, cwd=folder, check=False
    )
    return done.stdout.split("\n")[:-1], done.stderr


@pytest.mark.parametrize("name", SHELLS)
def test_every_command_and_option_is_in_the_script(composer, name):
    text = composer("completions", name).out
    for word in ("gen", "train", "show", "plugins", "completions", "top-p", "snapshots", "musicxml", "cuda"):
        assert word in text


BASH = """
source bash
COMP_WORDS=({words}) COMP_CWORD={at} COMPREPLY=()
_composer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def bash(folder, *words):
    quoted = " ".join(f"'{word}'" for word in words)
    out, err = shell("bash", BASH.format(words=quoted, at=len(words) - 1), folder)
    assert not err
    return [word for word in out if word]


@needs("bash")
def test_bash(scripts):
    assert bash(scripts, "composer", "ge") == ["gen"]
    assert bash(scripts, "composer", "gen", "ab") == ["abc"]
    assert bash(scripts, "composer", "gen", "abc", "--te") == ["--temp", "--tempo"]
    assert bash(scripts, "composer", "gen", "abc", "--device", "cu") == ["cuda"]
    assert bash(scripts, "composer", "gen", "abc", "--format", "=", "mi") == ["midi"]
    assert {"attn-lstm", "lstm"} <= set(bash(scripts, "composer", "train", "abc", "--model", ""))
    assert bash(scripts, "composer", "completions", "f") == ["fish"]
    assert bash(scripts, "composer", "gen", "abc", "--prime", "x") == []


@needs("fish")
def test_fish(scripts):
    def complete(line):
        out, err = shell("fish", f"source fish; complete -C '{line}'", scripts, "--no-config")
        assert not err
        return [word.split("\t")[0] for word in out]

    assert complete("composer ge") == ["gen"]
    assert complete("composer gen ab") == ["abc"]
    assert complete("composer gen abc --te") == ["--temp", "--tempo"]
    assert complete("composer gen abc --device cu") == ["cuda"]
    assert complete("composer train abc --model l") == ["lstm"]
    assert complete("composer completions f") == ["fish"]


@needs("zsh")
def test_zsh(scripts):
    """The script is sound, loads, and calls what zsh has; a menu can only be seen by a person."""
    out, err = shell("zsh", "autoload -U compinit; compinit -u; source ./zsh; print $_comps[composer]", scripts, "-f")
    assert not err
    assert out == ["_composer"]
