"""`composer show --output`: what is drawn into a picture file, and the errors."""

import sys
from pathlib import Path

import pytest

from composer.api import Source
from composer.cli.commands.show import ShowOptions
from composer.cli.console import Console
from composer.cli.show.pictures import roll_pieces
from composer.pictures import extra


@pytest.fixture
def without(monkeypatch):
    """Make a library look as if it were not installed."""

    def hide(name):
        for module in [name, *(each for each in sys.modules if each.startswith(f"{name}."))]:
            monkeypatch.setitem(sys.modules, module, None)

    return hide


def test_roll_of_several_files(composer, tunes, tmp_path):
    pytest.importorskip("matplotlib")
    result = composer("show", tunes, tunes, "--limit", "1", "-o", tmp_path / "roll.svg")
    assert result.code == 0, result.err
    assert f"wrote {tmp_path / 'roll.svg'}" in result.err
    assert (tmp_path / "roll.svg").read_text("utf-8").count(">Over the Fence<") == 2
    composer("show", tunes, "-o", tmp_path / "roll.svg").failed("already exists", "--force")


def test_pdf_is_sheet_music(composer, tunes, tmp_path):
    pytest.importorskip("verovio")
    pytest.importorskip("cairosvg")
    result = composer("show", tunes, "--limit", "2", "-o", tmp_path / "two.pdf")
    assert "two.pdf: 2 pages" in result.err
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "options", "library"),
    [
        ("a.svg", ["--limit", "4"], "a picture of a piano roll needs matplotlib"),
        ("a.svg", ["--limit", "4", "--picture", "sheet"], "sheet music needs verovio"),
    ],
)
def test_missing_library_names_the_extra(composer, tunes, tmp_path, without, name, options, library):
    without(library.split()[-1])
    result = composer("show", tunes, "-o", tmp_path / name, *options)
    result.failed(f"{library}, which is not installed", extra.INSTALL)
    assert not (tmp_path / name).exists()


def test_curve_of_a_trained_model(composer, tunes, tmp_path):
    path = tmp_path / "mine.safetensors"
    small = ["--set", "hidden=8", "--set", "layers=1", "--set", "validate_every=1", "--max-updates", "2"]
    assert composer("train", "abc", tunes, *small, "--output", path, "-q").code == 0
    pytest.importorskip("matplotlib")
    assert composer("show", path, "-o", tmp_path / "curve.svg").code == 0
    assert b">training<" in (tmp_path / "curve.svg").read_bytes()
    composer("show", path, tunes, "-o", tmp_path / "b.svg").failed("is a model, not a piece", code=2)
    composer("show", path, "--picture", "roll", "-o", tmp_path / "b.svg").failed("leave out --picture", code=2)


def test_model_without_a_curve(composer, checkpoint, tmp_path):
    composer("show", checkpoint, "-o", tmp_path / "a.svg").failed(
        "no training curve is recorded in 'small'", "train your own: composer train abc FILES --name mine;"
    )
    composer("show", "abc", "-o", tmp_path / "a.svg").failed("recorded in 'abc'", "bundled models have none")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.gif"], "unknown suffix '.gif'"),
        (["-o", "a"], "a has no suffix"),
        (["--picture", "sheet"], "--picture needs --output"),
        (["--force"], "--force needs --output"),
        (["-o", "a.svg", "--picture", "oil"], "invalid value for --picture: 'oil'"),
        (["-o", "a.svg", "--units"], "--units cannot be combined with --output"),
        (["-o", "a.svg", "--surprise", "--picture", "sheet"], "--surprise cannot be combined"),
    ],
)
def test_options_that_do_not_go_together(composer, tunes, arguments, words):
    composer("show", tunes, *arguments).failed(words, code=2)


def test_text_has_no_picture(composer, tmp_path):
    (tmp_path / "song.txt").write_text("Row, row\n")
    composer("show", tmp_path / "song.txt", "-o", tmp_path / "a.svg").failed("song.txt is text", code=2)


def test_bar_lines_move_in_rolls_of_the_terminal_only(composer, tmp_path):
    pytest.importorskip("matplotlib")
    tune = tmp_path / "pickup.abc"
    tune.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|:C|DEFG|ABcd:|\n")
    assert "bar lines moved" in composer("show", tune).err
    result = composer("show", tune, "-o", tmp_path / "roll.svg")
    assert result.code == 0
    assert "moved" not in result.err


@pytest.mark.parametrize(
    ("music", "is_sheet", "moved"),
    [("|:C|DEFG:|:C|DEFG:|", True, False), ("CDEFG|ABcd|CDEF", True, True), ("CDEFG|ABcd|CDEF", False, False)],
)
def test_moved_bar_lines_of_sheet_music_are_counted(music, is_sheet, moved, capsys):
    """Sheet music cannot have a bar that is longer than its meter."""
    source = Source(Path("a.abc"), data=f"X:1\nM:4/4\nL:1/4\nK:C\n{music}|\n".encode())
    wanted = ShowOptions(("a.abc",))
    list(roll_pieces(Console(), source, wanted, is_sheet=is_sheet))
    assert ("bar lines moved" in capsys.readouterr().err) is moved


@pytest.mark.parametrize("is_sheet", [True, False])
def test_changes_of_clef_are_a_loss_of_sheet_music_only(is_sheet, capsys):
    music = b"**kern\n*clefG2\n*M4/4\n=1\n4c\n4d\n*clefF4\n4e\n4f\n==\n*-\n"
    wanted = ShowOptions(("a.krn",))
    list(roll_pieces(Console(), Source(Path("a.krn"), data=music), wanted, is_sheet=is_sheet))
    assert ("1 change of clef left out" in capsys.readouterr().err) is is_sheet
