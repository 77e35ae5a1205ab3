"""Names of files that begin with a tilde."""

from pathlib import Path

import pytest

from composer.data.sources import absolute_argument, public_name, sources
from composer.system.paths import expand_home, models_folder


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A home folder, and another one as the current folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.parametrize("name", ["~tune.abc", "~", "~nobody/tune.abc", "a/~/b"])
def test_a_file_whose_name_begins_with_a_tilde_is_a_file(name, tmp_path):
    assert expand_home(name) == Path(name)
    assert absolute_argument(name) == str(tmp_path / "here" / name)


def test_it_is_read(tmp_path):
    Path("~tune.abc").write_text("X:1\n")
    assert [source.text() for source in sources(["~tune.abc"], [])] == ["X:1\n"]
    assert public_name("~tune.abc") == "~tune.abc"


def test_the_home_folder_in_a_quoted_pattern(tmp_path):
    (tmp_path / "home" / "a.abc").write_text("X:1\n")
    assert [source.path for source in sources(["~/*.abc"], [])] == [tmp_path / "home" / "a.abc"]
    Path("~").mkdir()
    Path("~/b.abc").write_text("X:2\n")
    assert [source.path for source in sources(["~/*.abc"], [])] == [Path("~/b.abc")]


def test_the_folder_of_the_program(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPOSER_HOME", "~/mine")
    assert models_folder() == tmp_path / "home" / "mine" / "models"
    monkeypatch.setenv("COMPOSER_HOME", "~mine")
    assert models_folder() == Path("~mine/models")
