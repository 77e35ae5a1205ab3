"""The floors of the house: imports run down only, modules stay small, and nothing heavy loads before it is needed."""

import ast
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [ROOT / "composer", *sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())]
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))

ALLOWED = {
    "api": "",
    "api.testing": "api formats registry system",
    "music": "api",
    "system": "api",
    "registry": "api",
    "distributed": "api",
    "generation": "api",
    "toolkit.models": "api",
    "checkpoints": "api music system registry",
    "audio": "api",
    "formats": "api music system audio",
    "playback": "api audio",
    "toolkit.representations": "api music formats",
    "check": "api music formats",
    "data": "api music formats system distributed",
    "training": "api data checkpoints registry distributed system",
    "pictures": "api music formats",
    "analysis": "api music data checkpoints generation check registry system",
    "cli": "api api.testing music formats toolkit.models toolkit.representations check system registry checkpoints "
    "distributed data generation training analysis audio playback pictures",
    "__main__": "cli",
}
"""What each package of `composer` may import of the others, besides itself and `composer`'s version."""

PLUGIN = "api toolkit.models toolkit.representations music formats"
"""What a plugin may import besides itself."""

HEAVY = {"torch", "converter21", "music21", "symusic", "rich", "mido", "safetensors", "platformdirs"} | {
    "matplotlib",
    "verovio",
    "cairosvg",
}
"""Imported where they are used, never at the top of a module, but for torch in `composer.api.network` and its kin."""

LONGEST = 350
FULLEST = 20


def name_of(path):
    base = ROOT / "plugins" if "plugins" in path.relative_to(ROOT).parts else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module):
    """The package of a module: `toolkit.models` for `composer.toolkit.models.outputs`; a plugin is its own package.

    The contract tests in `api.testing` are the outermost layer, although their name is part of the interface.
    """
    root, *parts = module.split(".")
    if root != "composer":
        return root
    return ".".join(parts[: 2 if parts[:1] == ["toolkit"] or parts[:2] == ["api", "testing"] else 1])


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path, top_only=False):
    """All modules that a file imports, and whether each is imported at its top."""
    nodes = tree(path).body if top_only else ast.walk(tree(path))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            nested = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in nested if name in KNOWN} or {node.module}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level)
    return found


KNOWN = {name_of(path) for path in MODULES}
PLUGINS = {path.name for path in PACKAGES[1:]}


@cache
def learns(path):
    """Whether a module is a network, or stands at the top of nothing but networks: these import torch."""
    above = [each for each in MODULES if name_of(path) in imports(each, top_only=True)]
    return path.name == "network.py" or (bool(above) and all(learns(each) for each in above))


def forbidden(path):
    """What a module imports that is above it in the table, or not written in full."""
    package = package_of(name_of(path))
    allowed = {package, "", "toolkit", *ALLOWED.get(package, PLUGIN).split()}
    ours = {name for name in imports(path) if name.split(".")[0] in {"composer", *PLUGINS}}
    return {name for name in ours if package_of(name) not in allowed} | {
        name for name in imports(path) if name.startswith(".")
    }


def test_imports_run_down_only():
    assert {name_of(path): found for path in MODULES if (found := forbidden(path))} == {}


def test_no_import_circles():
    """Imports inside functions and under TYPE_CHECKING count too."""
    graph = {}
    for path in MODULES:
        module = name_of(path)
        graph[module] = imports(path) & KNOWN - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("import circle: " + " is imported by ".join(error.args[1]))


def heavy_at_the_top(path):
    heavy = {name for name in imports(path, top_only=True) if name.split(".")[0] in HEAVY}
    if heavy and learns(path):
        heavy -= {name for name in heavy if name.split(".")[0] == "torch"}
    return heavy


def test_nothing_heavy_at_the_top():
    assert {name_of(path): found for path in MODULES if (found := heavy_at_the_top(path))} == {}


def test_modules_are_small():
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_folders_are_small():
    """Tests too: somebody new finds what is in a folder by looking at it."""
    counts = Counter(path.parent for name in ("composer", "plugins", "tests") for path in (ROOT / name).rglob("*.py"))
    assert {str(folder): count for folder, count in counts.items() if count > FULLEST} == {}


def test_nobody_keeps_a_drawer_for_everything():
    assert not [path for path in MODULES if path.stem in {"utils", "util", "helpers", "common", "misc"}]


def loaded(code, *names):
    """Which of `names` are loaded after `code` ran in a fresh process."""
    script = f"import sys\n{code}\nprint([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout.splitlines()[-1])


def running(*arguments):
    return f"from composer.cli.app import main\nassert main({list(map(str, arguments))!r}) == 0"


def test_help_loads_nothing_heavy():
    assert loaded(running("--help"), "torch", "music21", "numpy", "rich", "symusic", "mido", "safetensors") == []


def test_listing_the_plugins_loads_nothing_heavy():
    assert loaded(running("plugins"), "torch", "music21", "numpy", "rich", "symusic") == []


def test_composing_loads_no_torch(checkpoint, tmp_path):
    opening = ("--prime-text", "M:4/4\nL:1/8\nK:G\n|:G2")
    arguments = ("gen", "abc", "--checkpoint", checkpoint, "--length", "60", "--device", "cpu", *opening)
    assert loaded(running(*arguments, "--output", tmp_path / "a.abc"), "torch", "music21", "rich") == []
    assert loaded(running(*arguments, "--output", tmp_path / "a.mid"), "torch", "music21", "rich") == []
