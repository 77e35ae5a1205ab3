"""Outputs that cannot be written: one line, a hint, the exit code, and no lost files."""

import errno
import os
import sys

import pytest


@pytest.fixture
def gen(composer, checkpoint):
    return lambda *arguments, **terminal: composer("gen", "abc", "--checkpoint", checkpoint, *arguments, **terminal)


def test_existing_output(gen, tmp_path):
    tune = tmp_path / "tune.abc"
    tune.write_text("mine")
    gen("--output", tune).failed("tune.abc already exists", "--force")
    assert tune.read_text() == "mine"
    assert gen("--output", tune, "--force").code == 0
    assert tune.read_text().startswith("X:1")


def test_existing_output_among_several(gen, tmp_path):
    (tmp_path / "tune-2.mid").write_text("mine")
    gen("--count", "3", "--output", tmp_path / "tune-%d.mid").failed("tune-2.mid already exists", "--force")
    assert [path.name for path in tmp_path.glob("tune*")] == ["tune-2.mid"]


def test_several_in_one_binary_file(gen, tmp_path):
    gen("--count", "2", "--output", tmp_path / "tune.mid").failed("tune-%d.mid", code=2)
    gen("--count", "2", "--format", "midi").failed("tune-%d.mid", code=2)


def test_invalid_pattern(gen, tmp_path):
    gen("--count", "2", "--output", tmp_path / "tune-%s.mid").failed("%d", code=2)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(gen, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    gen("--output", closed / "tune.abc", "--quiet").failed("cannot write", "may write to")


def test_impossible_path(gen, tmp_path):
    (tmp_path / "file").write_text("")
    gen("--output", tmp_path / "file" / "tune.abc", "--quiet").failed("cannot write", "tune.abc")


def test_full_disk(gen, tmp_path, monkeypatch):
    tune = tmp_path / "tune.abc"
    tune.write_text("mine")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    gen("--output", tune, "--force", "--quiet").failed("cannot write", "No space left", "free up disk space")
    assert tune.read_text() == "mine"
    assert [path.name for path in tmp_path.glob("*tune*")] == ["tune.abc"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is there on Linux only")
@pytest.mark.parametrize("asked", ["--quiet", "--help"])
def test_full_stdout(checkpoint, process, asked):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = process("gen", "abc", "--checkpoint", checkpoint, asked, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: cannot write to stdout: No space left on device\nhint: ")
