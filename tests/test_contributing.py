"""CONTRIBUTING is the map: whatever it names is there, and every package is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PATHS = sorted(set(re.findall(r"(?<![\w/])(?:composer|plugins|tests)(?:/[\w.]+)+", TEXT)))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_it_names_is_there(path):
    assert (ROOT / path.rstrip(".")).exists()


def test_every_package_is_in_the_map():
    folders = [path for path in (ROOT / "composer").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert {f"composer/{path.name}" for path in folders} == set(
        re.findall(r"^\| `(composer/\w+)` \|", TEXT, re.MULTILINE)
    )


def test_the_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
