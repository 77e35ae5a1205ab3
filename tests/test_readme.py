"""What the README promises: its plugin works, and the commands that it names are there."""

import dataclasses
import re
import sys
import types
from pathlib import Path

from composer.cli.docs import command_tree as tree
from composer.registry import plugins as registry

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def test_the_plugin_keeps_the_contract(monkeypatch):
    plugin, test = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    letters = types.ModuleType("letters")
    exec(plugin, vars(letters))
    monkeypatch.setitem(sys.modules, "letters", letters)
    space = {}
    exec(test, space)
    space["test_contract"]()
    assert letters.composer_representation() is letters.Letters


def test_every_option_in_an_example_is_one():
    entries = {entry.name: entry for entry in tree.commands()}
    examples = re.findall(r"(?:^|\| )composer (\w+)([^|#\n]*)", README, re.MULTILINE)
    assert {name for name, _ in examples} >= {"gen", "train", "show"}
    for name, rest in examples:
        known = {flag for option in entries[name].options for flag in option.flags}
        if name == "gen":
            asked = dataclasses.fields(registry.representation(rest.split()[0]).Controls)
            known |= {f"--{field.name.replace('_', '-')}" for field in asked}
        assert {word for word in rest.split() if word.startswith("--")} <= known


def test_the_make_targets_are_there():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
