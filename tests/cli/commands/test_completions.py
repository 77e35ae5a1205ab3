"""Completion: the scripts in the shells that they are for, and what the program answers them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from virtual_midi import KEYS, NAME, install, install_input

from composer.cli.app import command_tree
from composer.cli.completion.answers import answer
from composer.cli.completion.scripts import SHELLS
from composer.cli.console import Console

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
        assert answer(command_tree(), "complete_powershell", Console()) == 0
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
        ("composer plugins form", ["formats"]),
        ("composer plugins check gr", ["grid"]),
        ("composer plugins check grid ", []),
        ("composer config list ge", ["gen"]),
        ("composer config get ge", ["gen."]),
        ("composer config get gen.top", ["gen.top-k", "gen.top-p"]),
        ("composer config set gen.abc.rh", ["gen.abc.rhythm"]),
        ("composer models info pia", ["pianoroll"]),
        ("composer models remove ", []),
        ("composer show pia", ["pianoroll"]),
        ("composer jam gr", ["grid"]),
        ("composer gen text --condition artist=r", ["artist=robert_burns"]),
        ("composer help tut", ["tutorial"]),
        ("composer help ge", ["gen"]),
        ("composer completions f", ["fish"]),
        ("composer show ", []),
    ],
)
def test_commands_options_and_values(powershell, line, expected):
    assert powershell(line) == expected


ODD_NAMES = ("my model", "it's", 'a "b"', "mod:el", "$(touch x)", "b\\c", "*", "mé")
"""Names of files that were put into the folder of models by hand, as `train --name` takes no such names."""


@pytest.fixture
def own_models(checkpoint, home):
    """Names of own models; those with control characters are not to be shown."""
    (home / "models").mkdir(parents=True)
    for name in ("mine", *ODD_NAMES, "evil\x1b[31m", "evil\nname"):
        shutil.copy(checkpoint, home / "models" / f"{name}.safetensors")
    return home


def test_own_models_are_completed(powershell, own_models):
    assert powershell("composer gen abc --checkpoint mi") == ["mine"]
    assert powershell("composer train abc x.abc --from mi") == ["mine"]
    assert powershell("composer models remove mi") == ["mine"]
    assert powershell("composer gen abc --checkpoint my") == ["'my model'"]
    assert powershell("composer gen abc --checkpoint it") == ["'it''s'"]
    assert powershell("composer gen abc --checkpoint ev") == []


def test_ports_are_completed(powershell, monkeypatch):
    install(monkeypatch, None)
    install_input(monkeypatch, None)
    assert powershell("composer play x.abc --port V") == [f"'{NAME}'"]
    assert powershell("composer jam abc --in V") == [f"'{KEYS}'"]


def test_a_file_comes_before_a_model(powershell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "piano.mid").touch()
    assert powershell("composer show pia") == []


@pytest.fixture
def controlled(monkeypatch):
    """A representation of somebody else's with a control that has words to choose from."""
    from dataclasses import dataclass
    from typing import Literal

    from composer.api.fields import option
    from composer.registry import plugins as registry

    @dataclass(frozen=True)
    class Controls:
        mood: str = option("", "Mood.", choices=("merry", "mournful", "calm"))
        size: Literal["small", "large"] = option("small", "Size.")

    monkeypatch.setattr(registry.representation("grid"), "Controls", Controls)


def test_values_of_controls_of_other_plugins(powershell, controlled):
    assert powershell("composer gen grid --mood m") == ["merry", "mournful"]
    assert powershell("composer gen grid --size l") == ["large"]


LIGHT = [
    "composer ",
    "composer gen ",
    "composer plugins ",
    "composer gen pianoroll --key ",
    "composer train abc --model ",
]
HEAVY = {
    "torch", "numpy", "rich", "music21", "safetensors", "hashlib", "composer.cli.commands.map",
    "composer.formats.midi.parser",
}  # fmt: skip


@pytest.mark.parametrize("line", [*LIGHT, "composer no-such --x"])
def test_nothing_heavy_is_loaded_and_nothing_else_printed(tmp_path, line):
    """A line that cannot be parsed has no candidates."""
    script = f"""if True:
        import sys
        from composer.cli.app import main
        main([])
        print("loaded", *{HEAVY} & set(sys.modules))
    """
    request = {"_COMPOSER_COMPLETE": "complete_fish", "_COMPOSER_LINE": line}
    found = run(sys.executable, "-c", script, folder=tmp_path, **request)
    assert found[-1] == "loaded"
    assert bool(found[:-1]) == ("no-such" not in line)


BASH = """
source bash
COMP_LINE={line} COMP_WORDS=({words}) COMPREPLY=()
COMP_POINT=${{#COMP_LINE}} COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_composer_completion composer
(( ! ${{#COMPREPLY[@]}} )) || printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def in_bash(folder, line, words=None, **environ):
    """The candidates for a line, which bash takes apart at spaces, = and :, unless `words` are given."""
    words = words or re.sub("([=:])", r" \1 ", line).rstrip(" " * (line[-1] in "=:")).split(" ")
    quoted = " ".join(map(shlex.quote, words))
    script = BASH.format(line=shlex.quote(line), words=quoted)
    return run("bash", "-c", script, folder=folder, **environ)


@needs("bash")
def test_bash(scripts):
    for line, expected in CASES.items():
        assert in_bash(scripts, line) == [word.removeprefix("--device=") for word in expected], line
    assert in_bash(scripts, "composer train abc --set lr=0.1 --model l") == ["lstm"]
    assert in_bash(scripts, "composer gen abc --prime x") == []


@needs("bash")
def test_bash_quotes_names(scripts, own_models):
    def complete(word, *broken):
        line = f"composer gen abc -c {word}"
        return in_bash(scripts, line, ["composer", "gen", "abc", "-c", *(broken or [word])], COMPOSER_HOME=own_models)

    for typed in ("my", "my\\ m"):
        assert complete(typed) == ["my\\ model"]
    assert complete('"my m') == ["my model"], "the quote stays open"
    assert complete("it") == ["it\\'s"]
    assert complete("'it") == [], "it cannot be quoted so"
    assert complete('"a') == ['a \\"b\\"', "abc"]
    assert complete("mod:", "mod", ":") == ["el"], "bash replaces what follows the colon"
    assert complete("mod:e", "mod", ":", "e") == ["el"]
    assert complete("\\$") == ["\\$\\(touch\\ x\\)"]
    assert not (scripts / "x").exists()


@needs("fish")
def test_fish(scripts, own_models):
    def complete(line, **environ):
        return run(
            "fish", "--no-config", "-c", f"source fish; complete -C {shlex.quote(line)}", folder=scripts, **environ
        )

    for line, expected in CASES.items():
        assert [word.split("\t")[0] for word in complete(line)] == expected, line
    found = [word.split("\t")[0] for word in complete("composer gen abc -c ", COMPOSER_HOME=own_models)]
    assert {*ODD_NAMES, "mine"} <= {*found}
    assert "evil" not in "".join(found)
    (scripts / "tune.abc").write_text("X:1\n")
    assert complete("composer show tun") == ["tune.abc"]


ZSH = """
fpath=(. $fpath)
autoload -U compinit; compinit -u
_describe() {{ print -rl -- "${{(@P)3}}" }}
_files() {{ print files }}
words=({words}) CURRENT=$#words PREFIX=$words[-1] QIPREFIX= IPREFIX=
_composer
"""


@needs("zsh")
def test_zsh(scripts, own_models):
    """A menu can only be seen by a person; here is what it is made of."""

    def complete(line):
        words = " ".join(map(shlex.quote, line.split(" ")))
        return run("zsh", "-f", "-c", ZSH.format(words=words), folder=scripts, COMPOSER_HOME=own_models)

    (scripts / "zsh").rename(scripts / "_composer")
    for line, expected in CASES.items():
        assert [re.match(r"[^:]+", each)[0] for each in complete(line)] == expected, line
    assert complete("composer show tun") == ["files"]
    found = complete("composer gen abc -c ")
    for name in ("my model", "mod\\:el", "b\\\\c", "$(touch x)"):
        assert f"{name}:abc by lstm" in found
    assert not (scripts / "x").exists()
