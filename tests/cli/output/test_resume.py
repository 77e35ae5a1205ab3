"""Interrupted runs resume byte for byte, and generate nothing twice."""

import errno
import itertools
import json
import os
import re

import pytest

from composer.cli.gen import run


@pytest.mark.parametrize(("pieces", "killed"), [(0, True), (4, False), (4, True), (8, True)])
def test_resume_is_exact(gen, whole, interrupt, monkeypatch, tmp_path, pieces, killed, contents):
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


def test_resume_after_the_last_piece(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(9, killed=True)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    assert not (tmp_path / "all.abc").exists()
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


def test_nothing_is_generated_twice(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(5)
    gen("--output", tmp_path / "%02d.abc")
    monkeypatch.undo()
    left = {path: path.stat().st_mtime_ns for path in tmp_path.glob("0?.abc")}
    assert len(left) == 5
    drawn = set()

    def watched(*arguments, **options):
        for event in generate(*arguments, **options):
            drawn.add(event.number)
            yield event

    generate = run.generate
    monkeypatch.setattr(run, "generate", watched)
    gen("--resume", "--output", tmp_path / "%02d.abc")
    assert len(drawn) == 4
    assert {path: path.stat().st_mtime_ns for path in left} == left


def test_half_a_piece_is_removed(gen, whole, interrupt, monkeypatch, tmp_path):
    interrupt(3, killed=True)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    (part,) = tmp_path.glob(".all.abc.*.part")
    with part.open("ab") as file:
        file.write(b"X:4\nM:4/")
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


def test_resume_after_a_kill_between_the_steps_of_a_renaming(gen, whole, interrupt, monkeypatch, tmp_path, contents):
    interrupt(3, killed=True)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    (part,) = tmp_path.glob(".all.abc.*.part")
    os.link(part, tmp_path / "all.abc")
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert contents(tmp_path) == {"all.abc": whole[1]}


@pytest.mark.parametrize("name", ["all.abc", "%02d.abc"])
def test_resume_after_a_full_disk(gen, whole, monkeypatch, tmp_path, name, contents):
    written = itertools.count()

    def fail(*arguments, **options):
        if next(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    operation = "link" if "%" in name else "write"
    real = getattr(os, operation)
    monkeypatch.setattr(os, operation, fail)
    result = gen("--output", tmp_path / "out" / name)
    assert result.code == 1
    assert "No space left on device" in result.err
    assert "free up disk space" in result.err
    monkeypatch.undo()
    assert gen("--resume", "--output", tmp_path / "out" / name).code == 0
    found = contents(tmp_path / "out")
    assert found == (whole[0] if "%" in name else {"all.abc": whole[1]})


def test_resume_keeps_the_random_seed_and_batch_size(gen, composer, checkpoint, interrupt, monkeypatch, tmp_path):
    command = ("gen", "abc", "--checkpoint", checkpoint, "--length", 60, "--count", 5)
    interrupt(2)
    seed = re.search(r"--seed (\d+)", composer(*command, "--batch-size", 2, "--output", tmp_path / "a.abc").err)[1]
    monkeypatch.undo()
    assert composer(*command, "--resume", "--output", tmp_path / "a.abc").code == 0
    composer(*command, "--batch-size", 2, "--seed", seed, "--output", tmp_path / "b.abc")
    assert (tmp_path / "a.abc").read_bytes() == (tmp_path / "b.abc").read_bytes()


def test_old_files_do_not_count(gen, interrupt, monkeypatch, whole, tmp_path, contents):
    gen("--seed", "77", "--output", tmp_path / "out" / "%02d.abc")
    interrupt(3, killed=True)
    gen("--force", "--output", tmp_path / "out" / "%02d.abc")
    monkeypatch.undo()
    assert gen("--resume", "--output", tmp_path / "out" / "%02d.abc").code == 0
    assert contents(tmp_path / "out") == whole[0]


def test_resume_without_a_run_starts_one(gen, whole, tmp_path):
    assert gen("--resume", "--seed", "3", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]
    gen("--resume", "--seed", "3", "--output", tmp_path / "all.abc").failed(
        "already exists", "no interrupted run to resume"
    )
    gen("--resume").failed("--resume needs an output file", code=2)


def test_pieces_without_notes_are_skipped_again(gen, monkeypatch, interrupt, tmp_path, contents):
    kind = outputs_of_midi(monkeypatch)
    gen("--candidates", "1", "--output", tmp_path / "a" / "%d.mid")
    with monkeypatch.context():
        interrupt(5)
        gen("--candidates", "1", "--output", tmp_path / "b" / "%d.mid")
    monkeypatch.undo()
    outputs_of_midi(monkeypatch)
    result = gen("--candidates", "1", "--resume", "--output", tmp_path / "b" / "%d.mid")
    assert "had no notes" in result.err
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert kind.name == "abc"


def outputs_of_midi(monkeypatch):
    """Skip pieces whose text has an even length."""
    from composer.registry import plugins as registry

    kind = registry.representation("abc")
    scores = kind.score
    monkeypatch.setattr(kind, "score", lambda self, piece: scores(self, piece) if len(piece.content) % 2 else None)
    return kind


def test_resume_a_run_of_an_older_version(gen, whole, interrupt, monkeypatch, tmp_path):
    """Its record calls the recipe and some options otherwise, and holds filters at their defaults."""
    interrupt(3)
    gen("--output", tmp_path / "all.abc")
    monkeypatch.undo()
    path = tmp_path / ".all.abc.composer"
    record = json.loads(path.read_text())
    recipe = record.pop("recipe")
    filters = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
    old = {
        **recipe,
        "width": recipe.pop("batch_size"),
        "filters": filters,
        "wishes": {},
        "free": False,
        "max_copy": None,
    }
    del old["batch_size"]
    path.write_text(json.dumps({**record, "asked": old}))
    assert gen("--resume", "--output", tmp_path / "all.abc").code == 0
    assert (tmp_path / "all.abc").read_bytes() == whole[1]
