"""Messages of a run: what was written, how to resume, and a progress bar."""

import pytest

from composer.cli.console import Console


def test_ctrl_c_says_how_to_resume(gen, interrupt, tmp_path):
    interrupt(2)
    assert "2 pieces so far; continue with --resume\ninterrupted\n" in gen("--output", tmp_path / "all.abc").err
    assert f"wrote 2 of 9 pieces to {tmp_path}/%d.abc; continue with --resume\ninterrupted\n" in (
        gen("--output", tmp_path / "%d.abc").err
    )


@pytest.mark.parametrize("name", ["all.abc", "%d.abc"])
def test_ctrl_c_before_the_first_piece_says_how_to_resume(gen, interrupt, tmp_path, name):
    interrupt(0)
    assert "nothing was written yet; continue with --resume\ninterrupted\n" in gen("--output", tmp_path / name).err


def test_message_says_what_was_written(gen, interrupt, monkeypatch, tmp_path):
    output = tmp_path / "out" / "%d.abc"
    made = f" (created {tmp_path / 'out'})"
    with monkeypatch.context() as patched:
        interrupt(4, patched=patched)
        assert f"wrote 4 of 9 pieces to {output}{made}; continue with --resume\n" in gen("--output", output).err
    with monkeypatch.context() as patched:
        interrupt(2, patched=patched)
        assert f"wrote 6 of 9 pieces to {output}; continue with --resume\n" in gen("--resume", "--output", output).err
    assert f"wrote the 3 missing of 9 pieces to {output}\n" in gen("--resume", "--output", output).err
    assert f"wrote {tmp_path / 'out' / '1.abc'} to {tmp_path / 'out' / '9.abc'}\n" in (
        gen("--force", "--output", output).err
    )


@pytest.mark.parametrize("count", [1, 2])
def test_new_folder_is_mentioned(gen, tmp_path, count):
    output = tmp_path / "new" / "tune.abc"
    assert f"wrote {output} (created {tmp_path / 'new'})\n" in gen("--output", output, count=count).err
    assert f"wrote {output}\n" in gen("--output", output, "--force", count=count).err


def test_progress_bar_only_on_a_terminal(gen, composer, stream, checkpoint, tmp_path):
    from composer.cli.app import main

    assert "pieces" not in gen("--output", tmp_path / "a.abc").err
    err = stream(terminal=True)
    console = Console(stream(), stream(), err, {"TERM": "xterm", "COLUMNS": "90"})
    given = ("--checkpoint", checkpoint, "--length", 60, "--count", 9, "--batch-size", 4, "--seed", 3)
    assert main(["gen", "abc", *map(str, given), "--output", str(tmp_path / "b.abc")], console) == 0
    assert b"of 9 pieces" in err.data
    assert (tmp_path / "a.abc").read_bytes() == (tmp_path / "b.abc").read_bytes()
