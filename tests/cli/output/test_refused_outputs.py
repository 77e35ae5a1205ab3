"""Runs that cannot be resumed, and files that are not overwritten."""

import json

import pytest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--temp", "0.5"), "the interrupted run was started without --temp, not with --temp 0.5"),
        (("--seed", "4"), "with --seed 3, not with --seed 4"),
        (("--unconstrained",), "without --unconstrained, not with --unconstrained"),
        (("--batch-size", "3"), "with --batch-size 4, not with --batch-size 3"),
        (("--count", "10"), "with --count 9, not with --count 10"),
        (("--tempo", "90"), "without --tempo, not with --tempo 90.0"),
        (("--prime-text", "M:4/4\nL:1/8\nK:G\n|:G2"), "different primer"),
    ],
)
def test_resume_with_other_options(gen, interrupt, monkeypatch, tmp_path, arguments, words):
    interrupt(2)
    gen("--output", tmp_path / "%d.abc")
    monkeypatch.undo()
    gen("--resume", "--output", tmp_path / "%d.abc", *arguments).failed(words, "--force", code=2)


def test_resume_and_force_need_an_interrupted_run(gen, tmp_path):
    path = tmp_path / "all.abc"
    path.write_text("kept")
    gen("--resume", "--force", "--output", path).failed("continues an interrupted run", "leave out --resume", code=2)
    assert path.read_text() == "kept"


def test_resume_with_another_model(gen, interrupt, monkeypatch, checkpoint, tmp_path):
    interrupt(2)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    record = tmp_path / ".all.abc.composer"
    record.write_text(record.read_text().replace(json.loads(record.read_text())["recipe"]["model"], "0" * 64))
    gen("--resume", "--output", tmp_path / "all.abc").failed("a different model", code=2)
    record.write_text("{")
    gen("--resume", "--output", tmp_path / "all.abc").failed("is not the record of a run", "--force")


def test_interrupted_output_is_not_overwritten(gen, interrupt, monkeypatch, whole, tmp_path):
    with monkeypatch.context():
        interrupt(3, killed=True)
        gen("--output", tmp_path / "all.abc")
        gen("--output", tmp_path / "%02d.abc")
    monkeypatch.undo()
    gen("--output", tmp_path / "all.abc").failed("an interrupted run left", "--resume")
    gen("--output", tmp_path / "%02d.abc").failed("already exists", "--resume")
    (part,) = tmp_path.glob(".all.abc.*.part")
    part.write_text("short")
    gen("--resume", "--output", tmp_path / "all.abc").failed("was changed after the run was interrupted", "--force")
    assert gen("--force", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


@pytest.mark.parametrize("output", [(), ("--output", "all.abc")])
@pytest.mark.parametrize("terminal", [False, True])
def test_too_many_pieces_for_one_file(composer, monkeypatch, tmp_path, output, terminal):
    monkeypatch.chdir(tmp_path)
    result = composer("gen", "abc", "--count", 10**9, *output, terminal=terminal, NO_COLOR="1")
    result.failed("1,000,000,000 pieces are too many for one file", "--output tunes/%010d.abc", code=2)
    assert not list(tmp_path.iterdir())


def test_format_and_suffix_contradict(composer, tmp_path):
    result = composer("gen", "abc", "--format", "midi", "--output", tmp_path / "q.abc")
    result.failed(
        "--format midi contradicts --output", f"leave out --format, or use --output {tmp_path / 'q.mid'}", code=2
    )
    assert not (tmp_path / "q.abc").exists()


@pytest.mark.parametrize("command", ["convert", "open"])
def test_a_link_that_leads_nowhere(composer, tmp_path, command):
    (tmp_path / "tune.abc").write_text("X:1\nK:C\nCDEF|\n")
    path = tmp_path / "link.html" if command == "open" else tmp_path / "link.mid"
    path.symlink_to("gone")
    composer(command, tmp_path / "tune.abc", "-o", path).failed(f"{path} already exists\n", "--force")
    assert path.is_symlink()
    assert composer(command, tmp_path / "tune.abc", "-o", path, "--force").code == 0
    assert path.is_file()
    assert not path.is_symlink()


def test_the_hint_for_a_folder_is_a_file_that_can_be_written(composer, tmp_path):
    (tmp_path / "tune.abc").write_text("X:1\nK:C\nCDEF|\n")
    (tmp_path / "page.html").mkdir()
    result = composer("open", tmp_path / "tune.abc", "-o", tmp_path / "page.html")
    result.failed("is a folder", f"--output {tmp_path / 'page.html' / 'tune.html'}")
