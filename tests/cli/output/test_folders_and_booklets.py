"""Folders as outputs, and ABC files with many tunes of representations that are not written as text."""

import os
import re

import pytest

from composer.cli.output.files import names_folder


def test_a_folder_gets_a_file_for_each_piece(gen, whole, contents, tmp_path):
    result = gen("--output", f"{tmp_path / 'new'}/")
    assert f"wrote {tmp_path}/new/abc-1.abc to {tmp_path}/new/abc-9.abc" in result.err
    assert sorted(contents(tmp_path / "new").values()) == sorted(whole[0].values())
    gen("--output", tmp_path / "new").failed("abc-1.abc already exists", "--force")


def test_a_percent_sign_in_a_folder_is_no_number(gen, tmp_path):
    folder = tmp_path / "100%done"
    assert f"created {folder}" in gen("--output", f"{folder}/", count=2).err
    assert sorted(path.name for path in folder.glob("abc*")) == ["abc-1.abc", "abc-2.abc"]
    gen("--output", f"{folder}/", count=2).failed("abc-1.abc already exists", "--force")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_what_is_no_folder(gen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gen("--output", "", count=1).failed("the file name of --output is empty", code=2)
    assert list(tmp_path.iterdir()) == []
    if os.sep == "/":
        assert not names_folder("new\\")


def test_numbers_in_a_folder_have_the_same_length(gen, tmp_path):
    assert gen("--output", tmp_path, "--format", "midi", count=10).code == 0
    assert len(list(tmp_path.glob("abc-??.mid"))) == 10


def test_a_run_into_a_folder_is_resumed(gen, whole, interrupt, monkeypatch, contents, tmp_path):
    interrupt(4)
    assert "continue with --resume" in gen("--output", tmp_path).err
    monkeypatch.undo()
    assert gen("--resume", "--output", tmp_path).code == 0
    assert sorted(contents(tmp_path).values()) == sorted(whole[0].values())


@pytest.mark.parametrize("chosen", [("--count", 3), ("--candidates", 3, "--keep", 3)])
def test_melodies_in_one_abc_file(composer, tmp_path, chosen):
    path = tmp_path / "all.abc"
    short = ("--length", 80, "--seed", 3)
    result = composer("gen", "grid", *short, *chosen, "--output", path)
    assert result.code == 0, result.err
    assert re.findall(r"(?:\A|\n\n)X:(\d)\n", path.read_text()) == ["1", "2", "3"]
    assert "reproduced exactly" in composer("replay", path, "--check").err
    assert "3 pieces: no problems" in composer("check", path, "--errors-only").err
