"""`composer plugins new`: the files of a new plugin, and names that no plugin can have."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from composer.cli.scaffold.new_package import TEMPLATES, NewPackage, write_package

ROOT = Path(__file__).parent.parent.parent.parent
VARIANTS = [
    NewPackage("slow-airs", "representation"),
    NewPackage("slow-airs", "representation", controls=True),
    NewPackage("slow-airs", "representation", frames=True),
    NewPackage("slow-airs", "representation", frames=True, controls=True),
    NewPackage("slow-airs", "model"),
]


def title(package):
    return f"{package.template}{' with controls' if package.controls else ''}"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("package", VARIANTS, ids=title)
def test_files_of_a_package(package, tmp_path):
    folder = write_package(package, tmp_path)
    assert folder == tmp_path / "composer-slow-airs"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    own = {"network.py", "sampler.py"} if package.kind == "model" else {"controls.py"} if package.controls else set()
    modules = {f"composer_slow_airs/{name}" for name in {"__init__.py", *own}}
    others = {"README.md", "pyproject.toml", "tests/test_slow_airs.py", "corpus/tunes.abc", "corpus/held_out.abc"}
    assert names == modules | others
    entries = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]["composer"]
    assert entries == {"slow-airs": "composer_slow_airs"}
    for path in folder.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text()))
    for path in folder.rglob("*"):
        if path.is_file():
            assert not {"$", "#if", "#end"} & set(path.read_text().split())


def test_packages_are_well_formatted(tmp_path):
    for number, package in enumerate(VARIANTS):
        (tmp_path / str(number)).mkdir()
        write_package(package, tmp_path / str(number))
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--no-cache", "--config", ROOT / "pyproject.toml"]
    # where imports of its own go depends on the folder that a package is in; its tests need no docstrings
    for command in (["check", *config, "--ignore", "I001,D103"], ["format", "--check", *config]):
        done = subprocess.run([*ruff, *map(str, command), tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_corpus_has_no_errors(composer):
    assert composer("check", TEMPLATES / "shared" / "corpus").code == 0


def test_a_model_trains_on_the_corpus_without_skipping_a_tune(composer):
    corpus = TEMPLATES / "shared" / "corpus"
    limits = ("--max-updates", 1, "--set", "hidden=8", "--device", "cpu")
    done = composer("train", "abc", corpus / "tunes.abc", "--valid", corpus / "held_out.abc", *limits)
    assert "12 pieces: 10 for training, 2 held out\n" in done.err
    assert "skipped" not in done.err


def test_it_prints_the_commands_to_run_next(composer):
    done = composer("plugins", "new", "chords", "--kind", "representation")
    assert done.out.splitlines() == [
        "cd composer-chords",
        "pip install -e .",
        "composer plugins check chords",
        "composer train chords corpus/tunes.abc --valid corpus/held_out.abc --max-updates 300",
        "composer gen chords --output tune.mid",
    ]
    model = composer("plugins", "new", "gru", "--kind", "model").out
    assert (
        "composer train abc corpus/tunes.abc --valid corpus/held_out.abc --max-updates 300 --model gru --name gru\n"
        in model
    )
    assert "composer gen abc --checkpoint gru " in model


KIND = ("--kind", "representation")


@pytest.mark.parametrize(
    ("arguments", "message", "hint", "code"),
    [
        ((), "missing argument NAME", "composer plugins new chords", 2),
        (("chords",), "missing option --kind", "--kind representation or --kind model", 2),
        (("chords", "--kind", "modle"), "unknown kind 'modle'", "did you mean `model`?", 2),
        (("chords", "more", *KIND), "unexpected argument: more", "composer plugins new chords --kind rep", 2),
        (("My Chords", *KIND), "invalid plugin name 'My Chords'", "such as my-chords", 2),
        (("../chords", *KIND), "invalid plugin name '../chords'", "such as chords", 2),
        (("12", *KIND), "invalid plugin name '12'", "such as my-plugin", 2),
        (("abc", *KIND), "the name `abc` is taken", "my-abc", 2),
        (("new", *KIND), "the name `new` is taken", "my-new", 2),
        (("none", *KIND), "the name `none` is taken", "my-none", 2),
        (("architectures", *KIND), "the name `architectures` is taken", "my-architectures", 2),
        (("piece", *KIND), "its class would be called `Piece`, which is taken", "my-piece", 2),
        (("filled-bars", *KIND, "--controls"), "its class would be called `FilledBars`", "my-filled-bars", 2),
        (("embedded", "--kind", "model"), "its class would be called `EmbeddedNetwork`", "my-embedded", 2),
        (("gru", "--kind", "model", "--frames"), "--frames is for representations", "leave out --frames", 2),
        (("gru", "--kind", "model", "--controls"), "--controls is for representations", "leave out --controls", 2),
        (("gru", *KIND, "--names"), "--names does not go with `new`", "composer plugins --names", 2),
    ],
)
def test_one_line_for_what_cannot_be_written(composer, tmp_path, arguments, message, hint, code):
    composer("plugins", "new", *arguments).failed(message, hint, code=code)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(composer, tmp_path):
    mine = tmp_path / "composer-chords" / "README.md"
    mine.parent.mkdir()
    mine.write_text("mine")
    composer("plugins", "new", "chords", *KIND).failed("composer-chords already exists", "another name", code=1)
    assert mine.read_text() == "mine"
    assert list(mine.parent.iterdir()) == [mine]


@pytest.mark.parametrize("flag", [("--kind", "model"), ("--frames",), ("--controls",)])
def test_its_options_go_with_new_only(composer, flag):
    composer("plugins", *flag).failed(f"{flag[0]} goes with `new` only", "composer plugins new NAME", code=2)
