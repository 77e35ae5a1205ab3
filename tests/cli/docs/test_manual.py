"""The pages of the manual: complete, with examples that the program takes, and a plugin that works."""

import dataclasses
import re
import shutil
import sys
import tomllib
import types

import pytest

from composer import api
from composer.api import (
    Constraint,
    Decoder,
    FrameRule,
    GenerationContext,
    Limit,
    Model,
    Note,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Sampler,
    Score,
    SequenceSpec,
    Source,
    hooks,
    network,
)
from composer.api.file_format import Format
from composer.api.network import Batch, Loss, Measurement, Network, Phase
from composer.api.problem import Check, Problem
from composer.api.ranking import Rank, Ranking
from composer.checkpoints import store
from composer.cli.command import COMMANDS, build
from composer.cli.docs import man_pages, pages
from composer.cli.docs.mdoc import from_markdown
from composer.cli.extension_check import extension_checks
from composer.registry import plugins as registry
from composer.registry.extension_checks import checked_extensions
from composer.registry.guard import Owner
from composer.toolkit.representations.note_controls import NoteControls
from composer.training.optimizer import Settings

PAGES = {name: pages.text(name) for name in pages.summaries()}
LOADED = [loaded for loaded in registry.load_all() if loaded.plugin.distribution.startswith("composer-cli ")]


def test_the_pages_that_are_promised():
    assert set(PAGES) == {"formats", "models", "plugins", "training", "tutorial"}


def test_the_numbers_of_training_pieces_are_those_of_the_cards():
    told = dict(re.findall(r"^\| `(\w+)` \| .*; trained on ([\d,]+) ", PAGES["models"], re.MULTILINE))
    cards = {path.stem: path.read_text() for path in store.PRETRAINED.glob("*.md")}
    assert told == {name: re.search(r"^\| Pieces \| ([\d,]+) for training", cards[name], re.M)[1] for name in cards}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is_and_fits(name):
    first, *lines = PAGES[name].splitlines()
    assert re.fullmatch(rf"# composer-{name}: [a-z].*[^.]", first)
    assert max(len(line) for line in lines if not line.startswith("|")) <= 120


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_in_an_example_is_one(name):
    text = re.sub(r"\\\n\s*", "", PAGES[name])
    examples = re.findall(r"(?:^|\| |`|-m )composer ([a-z]+)([^|#\n`]*)", text, re.MULTILINE)
    assert examples
    for command, rest in examples:
        assert command in COMMANDS
        known = {flag for option in build(command).params for flag in option.opts} | {"--help"}
        words = rest.split()
        if command == "gen" and words[:1] and words[0] in registry.plugin_names():
            controls = dataclasses.fields(registry.representation(words[0]).Controls)
            known |= {f"--{field.name.replace('_', '-')}" for field in controls}
        assert {word for word in words if re.match("--?[a-zA-Z]", word)} <= known


def section(page, title):
    return re.split(r"^## ", PAGES[page].split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def named(kind):
    return {field.name for field in dataclasses.fields(kind) if not field.metadata.get("internal")}


def test_every_setting_of_training_is_explained():
    assert set(re.findall(r"^\| `(\w+)`", section("training", "Settings"), re.MULTILINE)) == named(Settings)


@pytest.mark.parametrize("loaded", [each for each in LOADED if each.model], ids=lambda each: each.plugin.name)
def test_every_setting_of_a_model_is_explained(loaded):
    settings = set(re.findall(r"^\| `(\w+)`", section("models", loaded.plugin.name), re.MULTILINE))
    if loaded.plugin.name == "attn-lstm":
        settings |= set(re.findall(r"^\| `(\w+)`", section("models", "lstm"), re.MULTILINE))
    assert settings == named(loaded.model.Config)


@pytest.mark.parametrize("loaded", [each for each in LOADED if each.representation], ids=lambda each: each.plugin.name)
def test_every_option_and_control_of_a_representation_is_explained(loaded):
    text = section("formats", loaded.plugin.name)
    assert set(re.findall(r"^\| `-O (\w+)`", text, re.MULTILINE)) == named(loaded.representation.Options)
    controls = re.findall(r"^\| `--([a-z-]+)`", text, re.MULTILINE)
    if loaded.plugin.name == "pianoroll":
        of_grid = re.findall(r"^\| `--([a-z-]+)`", section("formats", "grid"), re.MULTILINE)
        controls += [name for name in of_grid if name.replace("-", "_") in named(NoteControls)]
    assert {name.replace("-", "_") for name in controls} == named(loaded.representation.Controls)


def test_every_example_of_a_plugin_works(monkeypatch):
    """Each is a module; those called `test_...` have tests."""
    page = PAGES["plugins"]
    modules = re.findall(r"^`(\w+)\.py`[^\n]*\n\n```python\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert len(modules) == page.count("```python\n")
    spaces = {module: types.ModuleType(module) for module, _ in modules}
    for module, source in modules:
        monkeypatch.setitem(sys.modules, module, spaces[module])
        exec(source, vars(spaces[module]))
    tests = [test for space in spaces.values() for name, test in vars(space).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()
    for project in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        assert set(tomllib.loads(project)["tool"]["setuptools"]["py-modules"]) <= set(spaces)


def test_every_hook_is_explained_and_its_example_works(tmp_path, checkpoint):
    text = section("plugins", "Formats, presets, trained models, rankings and checks")
    (tmp_path / "models").mkdir()
    shutil.copyfile(checkpoint, tmp_path / "models" / "small.safetensors")
    seen = []
    for module, source in re.findall(r"^`(\w+)\.py`\n\n```python\n(.*?)```", text, re.DOTALL | re.MULTILINE):
        space = {"__file__": str(tmp_path / f"{module}.py")}
        exec(source, space)
        brought = {kind: space[name]() for kind, hook in hooks.EXTENSIONS.items() if (name := hook.__name__) in space}
        found, errors = checked_extensions(brought, module, Owner(module, "the manual"))
        assert not errors
        for _, run in extension_checks(found):
            run()
        seen += found
    assert sorted(seen) == sorted(hooks.EXTENSIONS)
    for name in (*(hook.__name__ for hook in hooks.EXTENSIONS.values()), *Format._fields, "score", "data", "rank"):
        assert f"`{name}`" in text or f"`{name}(" in text


CLASSES = (Representation, Model, Network, Sampler, Constraint, Decoder, Score, Source, SequenceSpec, GenerationContext)
VALUES = (Batch, Loss, Measurement, Phase, FrameRule, Limit, Note, Part, Piece, RejectedPiece)
OTHER_HOOKS = (Format, Rank, Ranking, Check, Problem)


def test_the_whole_interface_is_explained():
    """Every name of the interface, and every method, attribute and field that an author may need."""
    page = re.sub("```.*?```", "", PAGES["plugins"], flags=re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall("`([^`]+)`", page))))
    names = {*api.__all__, *network.__all__, *(name for name in vars(hooks) if name.startswith("composer_"))}
    for kind in (*CLASSES, *VALUES, *OTHER_HOOKS):
        names |= {name for name in (*vars(kind), *getattr(kind, "__annotations__", ())) if not name.startswith("_")}
    assert names - words - UNEXPLAINED == set()


UNEXPLAINED = {"from_json", "place", "to_json"}
"""Of use to composer only."""


def test_controls_in_the_man_page_of_gen():
    page = man_pages.command_page("gen", "November 21, 2026")
    for loaded in LOADED:
        if loaded.representation and dataclasses.fields(loaded.representation.Controls):
            section = page.split(f".Ss Controls of {loaded.plugin.name}\n")[1].split(".Ss")[0]
            names = {name.replace("-", "_") for name in re.findall(r"^\.It Fl -([a-z-]+)", section, re.MULTILINE)}
            assert names == named(loaded.representation.Controls)


def test_markdown_in_mdoc():
    text = "# composer-x: y\n\nOne. *Two* `a-b`.\n\n## Head\n\n- a\n- [b](http://c)\n\n1. d\n\n"
    table, code = "| k | v |\n|---|---|\n| `x` | 'y' |\n\n", "```\n.dot\n```\n"
    assert from_markdown(text + table + code) == [
        *(".Sh DESCRIPTION", "One.", "\\fITwo\\fR \\fBa\\-b\\fR."),
        *(".Sh HEAD", ".Bl -bullet -compact", ".It", "a", ".It", "b <http://c>", ".El"),
        *(".Bl -enum -compact", ".It", "d", ".El"),
        *(".Bl -tag -width Ds", ".It \\fBx\\fR", "\\&\\(aqy\\(aq", ".El"),
        *(".Bd -literal -offset indent", "\\&.dot", ".Ed"),
    ]
