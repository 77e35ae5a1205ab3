"""Parsing and changing commands."""

import pytest

from quality.commands import changed, files, flag, tidy, without, words

TRAIN = "composer train abc $DATA/tunes --set hidden=256 --set layers=2 -O text=raw --batch-size 32"


def test_folders_are_filled_in():
    assert words("composer eval abc $DATA/a.abc", {"DATA": "/home/me/my data"}) == [
        "eval",
        "abc",
        "/home/me/my data/a.abc",
    ]


@pytest.mark.parametrize("command", ["ls", "python -m composer train abc", "composer"])
def test_other_commands_are_an_error(command):
    with pytest.raises(ValueError, match="is not a `composer` command"):
        words(command)


def test_a_change_replaces_what_sets_the_same():
    assert changed(TRAIN, "--set layers=1").count("layers") == 1
    assert "--set hidden=256 --set layers=1 " in changed(TRAIN, "--set layers=1")
    assert changed(TRAIN, "--batch-size 64").endswith("--batch-size 64")
    assert "text=dialect" in changed(TRAIN, "-O text=dialect")
    assert changed("composer train abc x --lr=1 --augment", "--augment") == "composer train abc x --lr=1 --augment"


def test_other_changes_are_appended():
    assert changed(TRAIN, "--augment --set dropout=0") == f"{TRAIN} --augment --set dropout=0".replace(
        "$DATA/tunes", "'$DATA/tunes'"
    )


def test_files_precede_the_first_option():
    assert files(words("composer eval text a.txt b.txt --part test")) == ["a.txt", "b.txt"]


def test_options_are_removed_with_their_values():
    asked = words("composer eval abc x --split list.txt --stream --part test")
    assert without(asked, "--split", "--part") == ["eval", "abc", "x", "--stream"]


def test_value_of_an_option():
    assert flag(TRAIN, "--batch-size") == "32"
    assert flag(TRAIN, "--seed") is None
    assert flag(TRAIN + " --seed=3", "--seed") == "3"


def test_line_breaks_do_not_matter():
    assert tidy("composer train abc x\n    --batch-size 3") == "composer train abc x --batch-size 3"
