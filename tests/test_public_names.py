"""The public names of the packages that plugins may import: listed, explained, and all that built-in plugins use.

A module of these packages is public if it has `__all__`, and then these names are. They keep their meaning within a
version of the interface.
"""

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

from composer.cli.docs import pages

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).parent / "public_names.txt"
PACKAGES = ("api", "toolkit", "music", "formats")
PLUGIN_FILES = sorted(
    path
    for folder, pattern in (("plugins", "*.py"), ("tests/third_party", "*.py"), ("composer/cli/scaffold", "*.py.in"))
    for path in (ROOT / folder).rglob(pattern)
    if path.parent != ROOT / "tests/third_party"
)


@cache
def modules():
    """The source of each module of the packages, by name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / "composer" / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text("utf-8")
    return found


@cache
def public_names(module):
    """The names in `__all__` of a module, read from its source, or None."""
    for node in ast.parse(modules()[module]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return tuple(ast.literal_eval(node.value))
    return None


def listing():
    """The text of the list."""
    return "".join(f"{module}: {' '.join(sorted(public_names(module)))}\n" for module in PUBLIC)


PUBLIC = sorted(module for module in modules() if public_names(module))


IMPORT = re.compile(
    r"^ *from (composer(?:\.[\w.]+)?) import (\([^)]*\)|[^\n]*)|^ *import (composer\.[\w.]+)", re.MULTILINE
)
"""Templates of plugins are not Python yet, so imports are found by their text."""


def imported(path):
    """Yield the module and name of each import of a plugin's file from our packages."""
    lines = path.read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    for module, names, whole in IMPORT.findall(text):
        yield from ((module, name.split()[0]) for name in names.strip("()").split(",") if name.strip())
        yield from ((whole, "") for _ in whole[:1])


def test_plugins_use_public_names_only():
    used = {str(path.relative_to(ROOT)): set(imported(path)) for path in PLUGIN_FILES}
    assert sum(map(len, used.values())) > 100
    private = {
        path: {f"{module}.{name}" for module, name in names if name not in (public_names(module) or ())}
        for path, names in used.items()
    }
    assert {path: names for path, names in private.items() if names} == {}


def test_the_list_of_public_names_is_current():
    """A name that is removed or means something else needs a new version of the interface."""
    assert listing() == LIST.read_text("utf-8"), "run: python tests/test_public_names.py"


def test_public_names_are_explained():
    """The modules and their functions and classes have docstrings."""
    loaded = [importlib.import_module(module) for module in PUBLIC]
    assert [module.__name__ for module in loaded if not module.__doc__] == []
    objects = [getattr(module, name) for module in loaded for name in public_names(module.__name__)]
    assert [each for each in objects if inspect.isroutine(each) or isinstance(each, type) if not each.__doc__] == []


def test_the_guide_names_every_module():
    guide = pages.text("plugins")
    named = [module for module in PUBLIC if module.split(".")[1] in {"music", "toolkit"}]
    assert len(named) > 20
    assert [each for each in named if f"`{each}`" not in guide and f"`{each.split('.')[-1]}`" not in guide] == []


if __name__ == "__main__":
    LIST.write_text(listing(), "utf-8")
