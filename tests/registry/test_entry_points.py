"""Entry points are found in folders as by `importlib.metadata`."""

import sys
import zipfile
from importlib import metadata

import pytest

from composer.registry.entry_points import EntryPoint, entry_points


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Create a distribution with the entry points `text`, first on the path."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(text, folder="Sea_Music-2.0.dist-info"):
        info = tmp_path / folder
        info.mkdir()
        name = folder.partition("-")[0]
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(text)

    return make


@pytest.mark.parametrize("group", ["console_scripts", "composer", "pytest11", "no such group"])
def test_same_as_the_standard_library(group):
    found = {(entry.name, entry.value) for entry in metadata.entry_points(group=group)}
    assert {(entry.name, entry.value) for entry in entry_points(group)} == found


def test_entry_point(distribution):
    distribution("[console_scripts]\nsea = sea:main\n\n[tide]\n# the moon's\nebb = json:decoder.JSONDecoder [extra]\n")
    (entry,) = entry_points("tide")
    assert entry == EntryPoint("ebb", "json:decoder.JSONDecoder [extra]", "sea-music 2.0")
    assert entry.load().__name__ == "JSONDecoder"


def test_first_on_the_path_wins(distribution, tmp_path, monkeypatch):
    distribution("[tide]\nebb = json\n")
    later = tmp_path / "later" / "sea.music-1.0.dist-info"
    later.mkdir(parents=True)
    (later / "entry_points.txt").write_text("[tide]\nflood = json\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(later.parent)])
    assert [entry.name for entry in entry_points("tide")] == ["ebb"]


def test_invalid_file(distribution, tmp_path):
    distribution("")
    (tmp_path / "Sea_Music-2.0.dist-info" / "entry_points.txt").write_bytes(b"[tide]\nebb = \xff\n")
    assert entry_points("tide") == []


def test_zip_file_on_the_path(tmp_path, monkeypatch):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Sea_Music-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: Sea-Music\nVersion: 2.0\n")
        archive.writestr("Sea_Music-2.0.dist-info/entry_points.txt", "[tide]\nebb = json\n")
    monkeypatch.syspath_prepend(packed)
    assert [(entry.name, entry.distribution) for entry in entry_points("tide")] == [("ebb", "Sea-Music 2.0")]
