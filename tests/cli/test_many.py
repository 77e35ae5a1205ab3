"""Many pieces: gone on with after an interruption byte for byte, divided among processes, and watched."""

import errno
import itertools
import json
import os
import re

import pytest

from composer.cli import many, outputs
from composer.cli.console import Console
from composer.cli.numbered import Pattern
from composer.cli.tally import Bar, Pace
from composer.cli.telling import telling
from composer.core import generation
from composer.core.generation import Drew, Ended

COUNT = 9


@pytest.fixture
def gen(composer, checkpoint):
    """`composer gen abc` with the small model: nine short pieces, four at a time."""

    def run(*arguments, count=COUNT, **terminal):
        given = ("--checkpoint", checkpoint, "--length", 60, "--count", count, "--width", 4)
        seed = () if {"--seed", "--resume"} & set(arguments) else ("--seed", 3)
        return composer("gen", "abc", *given, *seed, *arguments, **terminal)

    return run


@pytest.fixture
def interrupt(monkeypatch):
    """Have Ctrl-C pressed after so many pieces, in the middle of the next one; or the process killed."""

    def arrange(pieces, killed=False, patched=monkeypatch):
        def interrupted(*arguments):
            ended = 0
            for event in generate(*arguments):
                if ended == pieces and isinstance(event, Drew):
                    yield event
                    raise KeyboardInterrupt
                ended += isinstance(event, Ended)
                yield event

        generate = generation.generate
        patched.setattr(generation, "generate", interrupted)
        if killed:
            patched.setattr(many, "SECONDS", -1.0 if pieces % 2 else 1e9)
            for kind in (many.ToFiles, many.ToStream):
                patched.setattr(kind, "close", lambda self, finished: None)

    return arrange


def contents(folder):
    """Every file in a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def whole(gen, tmp_path_factory, known={}):  # noqa: B006 - composed once for all tests
    """What an uninterrupted run writes: a folder of files, and one file."""
    if not known:
        folder = tmp_path_factory.mktemp("whole")
        gen("--output", folder / "files" / "%02d.abc")
        gen("--output", folder / "whole.abc")
        assert not list(folder.glob(".*"))
        known["files"], known["stream"] = contents(folder / "files"), (folder / "whole.abc").read_bytes()
        assert sorted(known["files"]) == [f"{number:02}.abc" for number in range(1, COUNT + 1)]
    return known["files"], known["stream"]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("pieces", [0, 1, 4, 8])
def test_what_was_interrupted_is_gone_on_with_byte_for_byte(
    gen, whole, interrupt, monkeypatch, tmp_path, pieces, killed
):
    outputs = tmp_path / "out" / "%02d.abc", tmp_path / "out.abc"
    for output, expected in zip(outputs, whole, strict=True):
        with monkeypatch.context():
            interrupt(pieces, killed)
            assert gen("--output", output).code == 130
        monkeypatch.undo()
        result = gen("--resume", "--output", output)
        assert result.code == 0, result.err
        assert (contents(tmp_path / "out") if output == outputs[0] else output.read_bytes()) == expected
        assert not [path for path in tmp_path.glob("*out.abc*") if path != output]
        assert not list(tmp_path.glob(".*"))


def test_a_run_killed_after_its_last_piece_is_finished(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(COUNT, killed=True)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    assert not (tmp_path / "all.abc").exists()
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


def test_nothing_is_composed_twice(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(5)
    gen("--output", tmp_path / "%02d.abc")
    monkeypatch.undo()
    left = {path: path.stat().st_mtime_ns for path in tmp_path.glob("0?.abc")}
    assert len(left) == 5
    drawn = set()

    def watched(*arguments):
        for event in generate(*arguments):
            drawn.add(event.number)
            yield event

    generate = generation.generate
    monkeypatch.setattr(generation, "generate", watched)
    gen("--resume", "--output", tmp_path / "%02d.abc")
    assert len(drawn) == COUNT - 5
    assert {path: path.stat().st_mtime_ns for path in left} == left


def test_half_a_piece_after_the_last_whole_one_is_taken_away(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(3, killed=True)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    with (tmp_path / "all.abc.part").open("ab") as file:
        file.write(b"X:4\nM:4/")
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


@pytest.mark.parametrize("name", ["all.abc", "%02d.abc"])
def test_a_full_disk_is_told_and_gone_on_from(gen, whole, monkeypatch, tmp_path, name):
    written = itertools.count()

    def write(file, data):
        if next(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data) if isinstance(file, int) else rename(file, data)

    real, rename = os.write, type(tmp_path).replace
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(type(tmp_path), "replace", write) if "%" in name else None
    result = gen("--output", tmp_path / "out" / name)
    assert result.code == 1
    assert "No space left on device" in result.err
    assert "make room on the disk" in result.err
    monkeypatch.undo()
    assert gen("--resume", "--output", tmp_path / "out" / name).code == 0
    found = contents(tmp_path / "out")
    assert found == (whole[0] if "%" in name else {"all.abc": whole[1]})


def test_ctrl_c_says_how_to_go_on(gen, interrupt, tmp_path):
    interrupt(2)
    assert "2 pieces so far; --resume goes on\ninterrupted\n" in gen("--output", tmp_path / "all.abc").err
    assert f"wrote 2 of 9 pieces to {tmp_path}/%d.abc; --resume goes on\ninterrupted\n" in (
        gen("--output", tmp_path / "%d.abc").err
    )


def test_the_seed_that_was_drawn_is_kept(gen, composer, checkpoint, interrupt, monkeypatch, tmp_path):
    command = ("gen", "abc", "--checkpoint", checkpoint, "--length", 60, "--count", 5, "--width", 2)
    interrupt(2)
    seed = re.search(r"--seed (\d+)", composer(*command, "--output", tmp_path / "a.abc").err)[1]
    monkeypatch.undo()
    assert composer(*command, "--resume", "--output", tmp_path / "a.abc").code == 0
    composer(*command, "--seed", seed, "--output", tmp_path / "b.abc")
    assert (tmp_path / "a.abc").read_bytes() == (tmp_path / "b.abc").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--temp", "0.5"), "the run to go on with had --temp 1.0, not --temp 0.5"),
        (("--seed", "4"), "--seed 3, not --seed 4"),
        (("--free",), "had no --free, not --free"),
        (("--width", "3"), "--width 4, not --width 3"),
        (("--count", "10"), "--count 9, not --count 10"),
        (("--tempo", "90"), "had no --tempo, not --tempo 90.0"),
        (("--prime-text", "M:4/4\nL:1/8\nK:G\n|:G2"), "another opening"),
    ],
)
def test_another_run_is_not_gone_on_with(gen, interrupt, monkeypatch, tmp_path, arguments, words):
    interrupt(2)
    gen("--output", tmp_path / "%d.abc")
    monkeypatch.undo()
    gen("--resume", "--output", tmp_path / "%d.abc", *arguments).failed(words, "--force", code=2)


def test_another_model_does_not_go_on(gen, interrupt, monkeypatch, checkpoint, tmp_path):
    interrupt(2)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    record = tmp_path / ".all.abc.composer"
    record.write_text(record.read_text().replace(json.loads(record.read_text())["asked"]["model"], "0" * 64))
    gen("--resume", "--output", tmp_path / "all.abc").failed("another model", code=2)
    record.write_text("{")
    gen("--resume", "--output", tmp_path / "all.abc").failed("is not the record of a run", "--force")


def test_what_was_left_is_not_lost_unasked(gen, interrupt, monkeypatch, whole, tmp_path):
    with monkeypatch.context():
        interrupt(3, killed=True)
        gen("--output", tmp_path / "all.abc")
        gen("--output", tmp_path / "%02d.abc")
    monkeypatch.undo()
    gen("--output", tmp_path / "all.abc").failed("an interrupted run has left", "--resume")
    gen("--output", tmp_path / "%02d.abc").failed("exists already", "--resume")
    (tmp_path / "all.abc.part").write_text("short")
    gen("--resume", "--output", tmp_path / "all.abc").failed("is not as it was left", "--force")
    assert gen("--force", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


def test_old_files_are_not_taken_for_new_ones(gen, interrupt, monkeypatch, whole, tmp_path):
    gen("--seed", "77", "--output", tmp_path / "out" / "%02d.abc")
    interrupt(3, killed=True)
    gen("--force", "--output", tmp_path / "out" / "%02d.abc")
    monkeypatch.undo()
    assert gen("--resume", "--output", tmp_path / "out" / "%02d.abc").code == 0
    assert contents(tmp_path / "out") == whole[0]


def test_to_go_on_with_nothing_is_to_begin(gen, whole, tmp_path):
    assert gen("--resume", "--seed", "3", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]
    gen("--resume", "--seed", "3", "--output", tmp_path / "all.abc").failed("exists already")
    gen("--resume").failed("stdout cannot be gone on with", code=2)


def test_what_has_no_notes_is_left_out_again(gen, monkeypatch, interrupt, tmp_path):
    kind = outputs_of_midi(monkeypatch)
    gen("--output", tmp_path / "a" / "%d.mid")
    with monkeypatch.context():
        interrupt(5)
        gen("--output", tmp_path / "b" / "%d.mid")
    monkeypatch.undo()
    outputs_of_midi(monkeypatch)
    result = gen("--resume", "--output", tmp_path / "b" / "%d.mid")
    assert "had no notes" in result.err
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert kind.name == "abc"


def outputs_of_midi(monkeypatch):
    """Leave out pieces whose text has an even length."""
    from composer.core import registry

    kind = registry.representation("abc")
    scores = kind.score
    monkeypatch.setattr(kind, "score", lambda self, piece: scores(self, piece) if len(piece.content) % 2 else None)
    return kind


def ranked(rank, world):
    return {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_ranks_divide_the_pieces(gen, whole, monkeypatch, tmp_path):
    said = []
    for rank in range(2):
        for name, value in ranked(rank, 2).items():
            monkeypatch.setenv(name, value)
        result = gen("--output", tmp_path / "out" / "%02d.abc")
        assert result.code == 0, result.err
        said.append(result.err)
    assert "wrote" in said[0]
    assert not said[1]
    assert contents(tmp_path / "out") == whole[0]


def test_what_was_written_is_told_as_it_is(gen, interrupt, monkeypatch, tmp_path):
    output = tmp_path / "out" / "%d.abc"
    made = f"; made the folder {tmp_path / 'out'}"
    with monkeypatch.context() as patched:
        interrupt(4, patched=patched)
        assert f"wrote 4 of 9 pieces to {output}{made}; --resume goes on\n" in gen("--output", output).err
    with monkeypatch.context() as patched:
        interrupt(2, patched=patched)
        assert f"wrote 6 of 9 pieces to {output}; --resume goes on\n" in gen("--resume", "--output", output).err
    assert f"wrote the 3 missing of 9 pieces to {output}\n" in gen("--resume", "--output", output).err
    assert f"wrote {tmp_path / 'out' / '1.abc'} to {tmp_path / 'out' / '9.abc'}\n" in (
        gen("--force", "--output", output).err
    )


@pytest.mark.parametrize("count", [1, 2])
def test_a_folder_that_is_made_is_told(gen, tmp_path, count):
    output = tmp_path / "new" / "tune.abc"
    assert f"wrote {output}; made the folder {tmp_path / 'new'}\n" in gen("--output", output, count=count).err
    assert f"wrote {output}\n" in gen("--output", output, "--force", count=count).err


def test_other_ranks_go_on_with_what_some_left(gen, whole, interrupt, monkeypatch, tmp_path):
    with monkeypatch.context():
        for name, value in ranked(1, 2).items():
            monkeypatch.setenv(name, value)
        interrupt(2, killed=True)
        gen("--output", tmp_path / "out" / "%02d.abc")
    monkeypatch.undo()
    assert len(contents(tmp_path / "out")) == 3
    for rank in range(3):
        for name, value in ranked(rank, 3).items():
            monkeypatch.setenv(name, value)
        assert gen("--resume", "--output", tmp_path / "out" / "%02d.abc").code == 0
    assert contents(tmp_path / "out") == whole[0]


def test_ranks_need_files_and_one_seed(gen, composer, checkpoint, monkeypatch, tmp_path):
    for name, value in ranked(0, 2).items():
        monkeypatch.setenv(name, value)
    gen().failed("2 processes cannot write one stream", "%0", code=2)
    gen("--output", tmp_path / "all.abc").failed("2 processes cannot write one stream", code=2)
    command = ("gen", "abc", "--checkpoint", checkpoint, "--count", 4, "--output", tmp_path / "%d.abc")
    composer(*command).failed("2 processes need one seed", "--seed", code=2)
    (tmp_path / "1.abc").write_text("X:1\n")
    gen("--force", "--output", tmp_path / "%d.abc").failed("1.abc exists already", "remove")


@pytest.mark.parametrize("output", [(), ("--output", "all.abc")])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_thousand_million_need_a_file_each(composer, monkeypatch, tmp_path, output, terminal):
    monkeypatch.chdir(tmp_path)
    result = composer("gen", "abc", "--count", 10**9, *output, terminal=terminal, NO_COLOR="1")
    result.failed("1,000,000,000 pieces are too many for one stream", "--output tunes/%010d.abc", code=2)
    assert not list(tmp_path.iterdir())


def test_a_bar_is_drawn_on_terminals_alone(gen, composer, stream, checkpoint, tmp_path):
    from composer.cli.app import main

    assert "pieces" not in gen("--output", tmp_path / "a.abc").err
    err = stream(terminal=True)
    console = Console(stream(), stream(), err, {"TERM": "xterm", "COLUMNS": "90"})
    given = ("--checkpoint", checkpoint, "--length", 60, "--count", COUNT, "--width", 4, "--seed", 3)
    assert main(["gen", "abc", *map(str, given), "--output", str(tmp_path / "b.abc")], console) == 0
    assert b"of 9 pieces" in err.data
    assert (tmp_path / "a.abc").read_bytes() == (tmp_path / "b.abc").read_bytes()


@pytest.mark.parametrize(
    ("out", "err", "quiet", "term", "pieces", "drawn"),
    [
        (False, True, False, "xterm", 5, True),
        (True, True, False, "xterm", 5, False),
        (False, False, False, "xterm", 5, False),
        (False, True, True, "xterm", 5, False),
        (False, True, False, "dumb", 5, False),
        (False, True, False, "xterm", 1, False),
    ],
)
def test_where_a_bar_is_drawn(stream, out, err, quiet, term, pieces, drawn):
    console = Console(stream(), stream(terminal=out), stream(terminal=err), {"TERM": term}, quiet)
    assert isinstance(telling(console, pieces, lambda: 0, "step"), Bar) == drawn


def test_the_pace_in_words():
    pace = Pace(2000, lambda: 500, "character", done=500, steps=160_000, began=10.0)
    assert pace.share == 0.5
    assert pace.line(30.0) == "1,000 of 2,000 pieces  8,000 characters a second  40 s left"
    assert Pace(10, lambda: 0, "step", began=1.0).line(1.0) == "0 of 10 pieces"


@pytest.mark.parametrize(
    ("text", "number", "name", "record"),
    [
        ("tunes/%06d.abc", 7, "tunes/000007.abc", "tunes/.%06d.abc.composer"),
        ("%d/%d [x].mid", 12, "12/12 [x].mid", ".%d-%d [x].mid.composer"),
        ("a/100% %d/b.abc", 3, "a/100% 3/b.abc", "a/.100% %d-b.abc.composer"),
    ],
)
def test_a_pattern_finds_its_own_files(monkeypatch, tmp_path, text, number, name, record):
    monkeypatch.chdir(tmp_path)
    pattern = Pattern.of(text)
    assert pattern.path(number).as_posix() == name
    assert pattern.record.as_posix() == record
    assert list(pattern.present()) == []
    pattern.path(number).parent.mkdir(parents=True, exist_ok=True)
    pattern.path(number).write_text("X:1\n")
    pattern.path(number).with_name("1 of another kind.txt").write_text("")
    assert [found for found, _ in pattern.present()] == [number]


def test_what_has_no_number_is_no_pattern():
    assert Pattern.of("100%.abc") is None
    assert outputs.REPLACE
