"""What a piece goes on from, and what of it the whole piece keeps."""

import os

import pytest


@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll", "text"])
def test_nothing_is_not_gone_on_from(composer, tmp_path, name):
    (tmp_path / "empty.abc").write_bytes(b"")
    for arguments in (("--prime", "-"), ("--prime", tmp_path / "empty.abc"), ("--prime-text", "")):
        composer("gen", name, *arguments).failed("is empty", "nothing to go on from", "in a pipe")


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="open files have no names")  # noqa: PTH112
def test_a_pipe_with_a_name_is_gone_on_from(composer):
    ours, theirs = os.pipe()
    os.write(theirs, b"M:6/8\nL:1/8\nK:D\nd2d A2F|")
    os.close(theirs)
    result = composer("gen", "abc", "-q", "--no-provenance", "--seed", "2", "--bars", "4", "--prime", f"/dev/fd/{ours}")
    os.close(ours)
    assert "M:6/8\nL:1/8\nK:D\nd2d A2F|" in result.out
