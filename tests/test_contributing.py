"""CONTRIBUTING is the map: whatever it names is there, and every package is in it."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PATHS = sorted(set(re.findall(r"(?<![\w/])(?:composer|plugins|tests)(?:/[\w.]+)+", TEXT)))


def test_the_paths_that_it_names_are_there():
    assert len(PATHS) > 50
    assert [path for path in PATHS if not (ROOT / path.rstrip(".")).exists()] == []


def test_every_package_is_in_the_map():
    folders = [path for path in (ROOT / "composer").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert {f"composer/{path.name}" for path in folders} == set(
        re.findall(r"^\| `(composer/\w+)` \|", TEXT, re.MULTILINE)
    )


def test_the_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
