"""Completion: the scripts in the shells that they are for, and what the program answers them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from composer.cli.app import command_tree
from composer.cli.completion import SHELLS, answer

ROOT = Path(__file__).parents[3]


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


def run(*command, folder, **environ):
    paths = [str(ROOT), str(ROOT / "plugins"), *sys.path]
    environ = {**os.environ, "HOME": str(folder), "PYTHONPATH": os.pathsep.join(paths), **environ}
    environ["PATH"] = f"{folder}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=folder, check=False)
    assert not done.stderr
    return [line for line in done.stdout.split("\n") if line]


@pytest.fixture
def powershell(monkeypatch, capfd):
    """What PowerShell is answered for a line, in this process."""

    def ask(line):
        word = "" if line.endswith(" ") else line.split()[-1]
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", word)
        assert answer(command_tree(), "complete_powershell") == 0
        found = capfd.readouterr()
        assert not found.err
        return [each.split(":::")[0] for each in found.out.splitlines() if each]

    return ask


CASES = {
    "composer ge": ["gen"],
    "composer gen abc --te": ["--temp", "--tempo"],
    "composer gen abc --device=cu": ["--device=cuda"],
    "composer train abc --model l": ["lstm"],
    "composer gen abc --rhythm horn": ["hornpipe"],
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        *CASES.items(),
        ("composer gen ab", ["abc"]),
        ("composer gen abc --device cu", ["cuda"]),
        ("composer gen --format mi", ["midi"]),
        ("composer gen abc --rh", ["--rhythm"]),
        ("composer gen --seed 1 pianoroll --max-n", ["--max-notes"]),
        ("composer gen abc --key Ebm", ["Ebm", "Ebmix"]),
        ("composer gen abc --mode m", ["major", "minor", "mixolydian"]),
        ("composer gen abc --meter 6", ["6/8", "6/4"]),
        ("composer gen abc --scale o", ["own"]),
        ("composer gen grid --scale blu", ["blues"]),
        ("composer gen grid --meter 12", ["12/8"]),
        ("composer gen abc --instrument vio", ["violin", "viola"]),
        ("composer gen abc --rank-by f", ["form"]),
        ("composer gen abc --rhythm sl", ["slip-jig", "slide"]),
        ("composer gen pianoroll --checkpoint gr", ["grid"]),
        ("composer train abc --preset charrnn", ["charrnn-abc"]),
        ("composer train abc --conditions m", ["meter", "mode"]),
        ("composer train grid --conditions meter,", ["meter,key", "meter,mode"]),
        ("composer train text --conditions ", []),
        ("composer plugins rnn", ["rnnrbm"]),
        ("composer help tut", ["tutorial"]),
        ("composer help ge", ["gen"]),
        ("composer completions f", ["fish"]),
        ("composer show ", []),
    ],
)
def test_commands_options_and_values(powershell, line, expected):
    assert powershell(line) == expected


def test_own_models_are_completed(powershell, checkpoint, home):
    (home / "models").mkdir(parents=True)
    shutil.copy(checkpoint, home / "models" / "mine.safetensors")
    assert powershell("composer gen abc --checkpoint m") == ["mine"]
    assert powershell("composer train abc x.abc --from m") == ["mine"]


LIGHT = [
    "composer gen abc --t",
    "composer gen abc --key ",
    "composer gen pianoroll --key ",
    "composer train abc --model ",
]


@pytest.mark.parametrize("line", [*LIGHT, "composer no-such --x"])
def test_nothing_heavy_is_loaded_and_nothing_else_printed(tmp_path, line):
    """A line that cannot be parsed has no candidates."""
    script = """if True:
        import sys
        from composer.cli.app import main
        main([])
        heavy = {"torch", "numpy", "rich", "music21", "safetensors"} & set(sys.modules)
        print("loaded", *heavy)
    """
    request = {"_COMPOSER_COMPLETE": "complete_powershell", "_TYPER_COMPLETE_ARGS": line}
    found = run(sys.executable, "-c", script, folder=tmp_path, **request)
    assert found[-1] == "loaded"
    assert bool(found[:-1]) == ("no-such" not in line)


BASH = """
source bash
COMP_WORDS=({words}) COMP_CWORD={at} COMPREPLY=()
_composer_completion composer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@needs("bash")
def test_bash(scripts):
    def complete(line):
        words = line.replace("=", " = ").split(" ")  # as bash does
        quoted = " ".join(f"'{word}'" for word in words)
        return run("bash", "-c", BASH.format(words=quoted, at=len(words) - 1), folder=scripts)

    for line, expected in CASES.items():
        assert complete(line) == [word.removeprefix("--device=") for word in expected], line
    assert complete("composer train abc --set lr=0.1 --model l") == ["lstm"]
    assert complete("composer gen abc --prime x") == []


@needs("fish")
def test_fish(scripts):
    for line, expected in CASES.items():
        found = run("fish", "--no-config", "-c", f"source fish; complete -C '{line}'", folder=scripts)
        assert [word.split("\t")[0] for word in found] == expected, line
    (scripts / "tune.abc").write_text("X:1\n")
    found = run("fish", "--no-config", "-c", "source fish; complete -C 'composer show tun'", folder=scripts)
    assert found == ["tune.abc"]


ZSH = """
fpath=(. $fpath)
autoload -U compinit; compinit -u
_arguments() {{ print -r -- "$1" }}
_files() {{ print files }}
words=({words}) CURRENT=$#words
_composer
"""


@needs("zsh")
def test_zsh(scripts):
    """A menu can only be seen by a person; here is what it is made of."""
    (scripts / "zsh").rename(scripts / "_composer")
    for line, expected in {**CASES, "composer show tun": []}.items():
        found = "\n".join(run("zsh", "-f", "-c", ZSH.format(words=line), folder=scripts))
        assert re.findall(r'[( ]"(\S+?)"', found) == expected, (line, found)
        assert expected or found == "files", line
