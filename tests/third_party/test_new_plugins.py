"""What `composer plugins new` writes, untouched: installed, tested, trained, played, listed and removed."""

import sys
from itertools import pairwise

import pytest
from third_party.environments import new_environment, run

from composer.api import Source
from composer.formats.read import read_playable

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PROGRAM = """
import os
from composer.cli.app import main
if {tests!r}:
    import pytest
    assert pytest.main(["-q", "-p", "no:cacheprovider", "-c", os.devnull, *{tests!r}]) == 0
for command in {commands!r}:
    assert main(command) == 0, command
"""
QUICK = ("--max-updates", 2, "--batch-size", 4, "--set", "hidden=8", "--seed", 1, "--quiet")

REPRESENTATIONS = {
    "new-tokens": (),
    "new-tokens-controls": ("--controls",),
    "new-frames": ("--frames",),
    "new-frames-controls": ("--frames", "--controls"),
}
"""Flags of `composer plugins new` by the name of the plugin."""
CONTROLS = {"new-tokens-controls": ("--bars", 2), "new-frames-controls": ("--max-notes", 1)}
MODEL = "new-gru"
NAMES = [*REPRESENTATIONS, MODEL]


@pytest.fixture
def python(tmp_path):
    """Return the interpreter of an environment in which plugins are installed and removed."""
    return new_environment(tmp_path / "environment")


def program(python, folder, *commands, tests=()):
    """Run tests with pytest and then commands of the program in one process, in `folder`; return what they print."""
    code = PROGRAM.format(tests=list(map(str, tests)), commands=[list(map(str, command)) for command in commands])
    return run(python, "-c", code, cwd=folder, COMPOSER_HOME=str(folder / "home")).stdout


@pytest.mark.timeout(300)
def test_new_plugins_work_untouched(python, tmp_path):
    kinds = {name: ("representation", *flags) for name, flags in REPRESENTATIONS.items()} | {MODEL: ("model",)}
    program(python, tmp_path, *(["plugins", "new", name, "--kind", *kind] for name, kind in kinds.items()))
    folders = [tmp_path / f"composer-{name}" for name in NAMES]
    run(*PIP, "--python", python, "install", "--quiet", "--no-deps", "--no-build-isolation", *folders)

    tests = [path for folder in folders for path in sorted((folder / "tests").iterdir())]
    printed = program(python, tmp_path, ["plugins"], *commands_that_use(tmp_path), tests=tests)
    assert printed.count(" passed") == 1
    for name in NAMES:
        assert f"composer-{name} 0.1" in printed

    scores = {
        path.name: next(read_playable(Source(path))) for path in [*tmp_path.glob("*.mid"), *tmp_path.glob("*.abc")]
    }
    assert set(scores) == {f"{name}{end}" for name in REPRESENTATIONS for end in (".mid", "-1.abc", "-2.abc")}
    for end in (".mid", "-1.abc", "-2.abc"):
        assert scores[f"new-tokens-controls{end}"].duration == 2 * 4
        notes = scores[f"new-frames-controls{end}"].notes
        assert all(note.end <= following.onset for note, following in pairwise(notes))

    run(*PIP, "--python", python, "uninstall", "--quiet", "--yes", *(folder.name for folder in folders))
    listed = program(python, tmp_path, ["plugins", "--names"])
    assert "abc" in listed
    assert "new-" not in listed


def commands_that_use(folder):
    """Yield commands that check, train and play each representation, two of them with the new model."""
    yield ["plugins", "check", "new-tokens"]
    for name in REPRESENTATIONS:
        corpus = folder / f"composer-{name}" / "corpus"
        model = ["--model", MODEL] if name in {"new-tokens-controls", "new-frames"} else ["--set", "layers=1"]
        yield ["train", name, corpus, "--valid", corpus / "held_out.abc", *QUICK, *model]
        play = ["gen", name, "--seed", 1, "--length", 20, "--quiet", *CONTROLS.get(name, ())]
        yield [*play, "--output", f"{name}.mid"]
        yield [*play, "--count", 2, "--output", f"{name}-%d.abc"]
