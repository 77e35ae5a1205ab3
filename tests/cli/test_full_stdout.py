"""Every command whose output finds no room says so in one line, and fails."""

import errno
import io
import os

import pytest

from composer.cli.app import main
from composer.cli.command import COMMANDS
from composer.cli.console import Console
from composer.system.paths import models_folder

COMMAND_LINES = {
    "": ["--help", "--version"],
    "gen": ["gen abc -c small -q", "gen abc -c small -q --count 3"],
    "play": [],  # WAV never goes to a terminal, and test_play has the full disk
    "jam": [],  # it writes nothing to stdout
    "open": [],  # nothing goes to stdout
    "train": ["train abc {tunes} --json --max-updates 1 --set hidden=8 --set layers=1 --output {new}"],
    "eval": ["eval abc {tunes} -c small --json", "eval abc {tunes} -c small"],
    "presets": ["presets", "presets --json"],
    "check": ["check {broken}", "check {tunes} --json"],
    "originality": ["originality {tunes} --corpus {tunes}", "originality {tunes} --corpus {tunes} --json"],
    "similar": ["similar {tunes} --corpus {tunes} -c small", "similar {tunes} --corpus {tunes} -c small --json"],
    "map": [],
    "convert": [
        "convert {tunes} --to abc",
        "convert {tunes} --to tokens",
        "convert {tunes} -o {folder} --to abc --json",
    ],
    "harmonize": ["harmonize {generated} --style chords"],
    "replay": ["replay {generated} -q"],
    "show": [
        "show {tunes}",
        "show {tunes} {words}",
        "show {tunes} --surprise -c small",
        "show {tunes} --units -c small",
        "show {generated} --provenance",
        "show {generated} --provenance --json",
        "show small",
        "show {words}",
    ],
    "models": ["models", "models --json", "models info small", "models path"],
    "config": ["config list show", "config path", "config get gen.temp"],
    "plugins": ["plugins", "plugins --json", "plugins formats", "plugins lstm"],
    "completions": ["completions bash"],
    "help": ["help", "help formats", "help gen abc"],
    "version": ["version"],
}
"""Command lines that write to stdout, by command."""


class FullDisk(io.RawIOBase):
    """A file without room, like /dev/full."""

    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(scope="module")
def generated():
    """Tunes of the small model by their options: one is enough for all tests."""
    return {}


@pytest.fixture
def files(composer, checkpoint, tunes, tmp_path, generated):
    """The files that the command lines name, and the small model as `small`."""
    models_folder().mkdir(parents=True)
    (models_folder() / "small.safetensors").write_bytes(checkpoint.read_bytes())
    named = {name: tmp_path / f"{name}.abc" for name in ("broken", "generated")}
    named["broken"].write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|CDE|CDEF|]\n")
    options = ("gen", "abc", "-c", "small", "--seed", "1")
    named["generated"].write_bytes(generated.get(options) or generated.setdefault(options, composer(*options).data))
    (tmp_path / "words.txt").write_text("some words\n")
    new = {"new": tmp_path / "new.safetensors", "folder": tmp_path / "new"}
    return {**named, **new, "tunes": tunes, "words": tmp_path / "words.txt"}


def test_all_commands_are_tried():
    assert COMMAND_LINES.keys() - {""} == COMMANDS.keys()


@pytest.mark.parametrize("line", [line for lines in COMMAND_LINES.values() for line in lines])
@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
def test_no_room(files, stream, line, terminal):
    full, errors = io.TextIOWrapper(FullDisk(), encoding="utf-8", write_through=True), stream()
    full.isatty = lambda: terminal
    console = Console(stream(), full, errors, {"TERM": "xterm", "COLUMNS": "80"})
    code = main([word.format(**files) for word in line.split()], console)
    message = [text for text in errors.data.decode().splitlines() if text.startswith(("error:", "hint:"))]
    assert code == 1
    assert message == [
        f"error: cannot write to stdout: {os.strerror(errno.ENOSPC)}",
        "hint: free up disk space, or write to another disk",
    ]
