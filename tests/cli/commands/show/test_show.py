"""`composer show`: piano rolls, texts and model cards."""

import os
import zipfile

import pytest

from composer.checkpoints import file as checkpoints
from composer.cli.console import Console
from composer.cli.render import piano_roll


def test_plain_characters_without_color(composer, tunes):
    result = composer("show", tunes, "--tune", "1")
    assert result.code == 0
    assert result.out.startswith("Over the Fence\n")
    assert "\x1b" not in result.out
    assert "▄▄" in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_color_on_a_terminal(composer, tunes):
    assert "\x1b[" in composer("show", tunes, terminal=True).out
    assert "\x1b[3" not in composer("show", tunes, terminal=True, NO_COLOR="1").out
    assert "\x1b[3" not in composer("show", tunes, terminal=True, TERM="dumb").out


def test_guesses_are_warnings(composer, tmp_path):
    path = tmp_path / "a.abc"
    path.write_text("X:1\nK:C\n{c}CE?G|\n")
    assert composer("show", path).err.splitlines() == [
        f"warning: 1 unknown character left out, in {path}: line 3, column 6; for details: composer check {path}",
        f"{path}: 1 grace note left out",
    ]


def test_changes_of_clef_are_no_loss_of_a_piano_roll(composer, tmp_path):
    path = tmp_path / "a.krn"
    path.write_text("**kern\n*clefG2\n*M4/4\n=1\n4c\n4d\n*clefF4\n4e\n4f\n==\n*-\n")
    assert "1 change of clef left out" in composer("convert", path, "-o", tmp_path / "a.mid").err
    shown = composer("show", path)
    assert (shown.code, shown.err) == (0, "")


def test_missing_file(composer):
    composer("show", "nosuch").failed("no file or model named 'nosuch'", "`composer models` lists all models")


def test_stdin(composer, tunes):
    piped = composer("show", "-", "--tune", "2", stdin=tunes.read_bytes())
    assert piped.out == composer("show", tunes, "--tune", "2").out


def test_first_pieces_of_a_file(composer, tunes):
    assert composer("show", tunes).out.count("Early") == 1
    result = composer("show", tunes, "--limit", "1")
    assert "Early" not in result.out
    assert "--tune N" in result.err


def test_former_spelling_of_limit(composer, tunes):
    composer("show", tunes, "--most", "1").failed("unknown option --most", "it is now called --limit", code=2)


def test_long_piece_is_cut_only_on_a_terminal(composer, tmp_path):
    long = tmp_path / "long.abc"
    long.write_text("X:1\nM:4/4\nL:1/8\nK:G\n" + "GABc d2cB|A2F2 G4|\n" * 100)
    shown = composer("show", long, terminal=True, COLUMNS="40").out.splitlines()
    assert "more bars, to bar 200" in shown[-1]
    whole = composer("show", long, COLUMNS="40").out.splitlines()
    assert "more bars" not in whole[-1]
    assert len(whole) > len(shown)


def test_what_a_piece_lacks_is_said(composer, tmp_path):
    tune = tmp_path / "tune.abc"
    tune.write_text("X:1\nT:Short\nM:4/4\nL:1/4\nK:C\n{g}CDEF|\n\nGABc|\n")
    shown = composer("show", tune)
    assert "1 line of music after a blank line, 1 grace note left out" in shown.err
    assert "left out" not in shown.out


def test_systems_are_written_as_they_are_drawn(composer, tmp_path, monkeypatch):
    long = tmp_path / "long.abc"
    long.write_text("X:1\nM:4/4\nL:1/8\nK:G\n" + "GABc d2cB|A2F2 G4|\n" * 100)
    drawn, written = [], []
    lay_out, write = piano_roll.lay_out, Console.write_rendered

    def recorded(score, width):
        for system in lay_out(score, width):
            drawn.append(len(written))
            yield system

    monkeypatch.setattr(piano_roll, "lay_out", recorded)
    monkeypatch.setattr(Console, "write_rendered", lambda console, text: (written.append(text), write(console, text)))
    composer("show", long, COLUMNS="40")
    assert drawn == [*range(drawn[0], drawn[0] + len(drawn))]
    assert len(drawn) > 9


@pytest.mark.skipif(os.name == "nt", reason="Windows closes pipes in another way")
def test_closed_pipe(tunes, process):
    reading, writing = os.pipe()
    os.close(reading)
    done = process("show", tunes, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("suffix", [".mid", ".musicxml"])
def test_other_formats(composer, checkpoint, tmp_path, suffix):
    path = tmp_path / f"tune{suffix}"
    composer("gen", "abc", "--checkpoint", checkpoint, "--length", "80", "--seed", "2", "--output", path)
    result = composer("show", path)
    assert result.code == 0, result.err
    assert "▀▀" in result.out


def test_model_card(composer, checkpoint, tmp_path):
    path = tmp_path / "mine.safetensors"
    saved = checkpoints.load(checkpoint, half=True)
    record = {
        "data": ["tunes/"], "pieces": {"train": 90, "valid": 10}, "reported": 1.234, "unit": "bits per token",
        "update": 500, "seconds": 90.0, "device": "cpu", "precision": "fp32", "reason": "done",
    }  # fmt: skip
    checkpoints.save(path, saved.with_record(**record))
    path.with_suffix(".md").write_text("# Mine\n\nTunes of my own.\n")
    out = composer("show", path).out
    assert "abc, version 1" in out
    assert "lstm, vocabulary of " in out
    assert "90 pieces, 10 held out; from tunes/" in out
    assert "1.234 bits per token" in out
    stopped = record | {"updates": 620, "reason": "interrupted"}
    checkpoints.save(path, saved.with_record(**stopped))
    assert "620 updates, best after 500, " in composer("show", path).out
    assert "Tunes of my own." in out
    assert max(map(len, out.splitlines())) <= 80
    path.with_suffix(".md").write_bytes(b"Tunes for F\xfcrth")
    assert composer("show", path).out.endswith("\n\nTunes for F\N{REPLACEMENT CHARACTER}rth\n")


def test_text_is_printed_unchanged(composer, tmp_path):
    (tmp_path / "song.txt").write_text("Row, row,\nrow your boat\n")
    assert composer("show", tmp_path / "song.txt").out == "Row, row,\nrow your boat\n"
    assert composer("show", "-", stdin=b"la la\n").out == "la la\n"


def test_tune_with_another_suffix(composer, tunes, tmp_path):
    (tmp_path / "tunes.txt").write_bytes(tunes.read_bytes())
    assert composer("show", tmp_path / "tunes.txt").out == composer("show", tunes).out


def test_text_in_a_midi_file_is_an_error(composer, tmp_path):
    (tmp_path / "song.mid").write_text("Row, row,\nrow your boat\n")
    composer("show", tmp_path / "song.mid").failed("no music in", "song.mid")


def test_several_files_and_folders(composer, tunes, tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.abc").write_bytes(tunes.read_bytes())
    (folder / "three.mid").write_text("Row, row,\n")
    result = composer("show", folder, tunes, "--tune", "3")
    assert result.code == 1
    assert "three.mid" in result.err
    lines = result.out.splitlines()
    assert [line for line in lines if line.endswith(".abc")] == [
        str(folder / "one.abc"), str(folder / "two.abc"), str(tunes)
    ]  # fmt: skip
    assert lines.count("Early") == 3


def test_bars_that_do_not_fit_are_said_once_in_the_words_of_convert(composer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|CDE|CDEFG|C4|\n")
    said = "1 bar line moved, since bars do not fill the meter\n"
    assert composer("convert", "a.abc", "--to", "musicxml").err == f"a.abc: tune 1: {said}"
    assert composer("show", "a.abc").err == f"a.abc: {said}"
    path.write_text(path.read_text().replace("|CDE|", "|CDEF|").replace("FG", "F"))
    assert not composer("show", "a.abc").err


def test_tunes_in_an_archive(composer, tunes, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tunes, "tunes.abc")
    result = composer("show", tmp_path / "all.zip", "--tune", "3")
    assert result.code == 0, result.err
    assert "Early" in result.out


def test_folder_without_music(composer, tmp_path):
    composer("show", tmp_path).failed("no music files in", "name files")
