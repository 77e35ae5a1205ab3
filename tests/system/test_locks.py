"""A lock keeps other processes out until its process ends, and what is left of it is harmless."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from composer.api import ComposerError
from composer.system import locks

HOLD = """
import sys
sys.argv = ["composer", "train", "abc", "my tunes/", "\\x1b[31m"]
from composer.system import locks
from pathlib import Path
lock = locks.acquire(Path({path!r}), "it", "")
print("held", flush=True)
sys.stdin.read()
"""


def acquire(path):
    return locks.acquire(path, "model 'mine'", "use another --name")


def test_a_killed_holder_leaves_a_harmless_file(tmp_path):
    path = tmp_path / "new" / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(path=str(path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(locks.NameInUse) as caught:
            acquire(path)
        holder.send_signal(signal.SIGKILL)
    expected = rf"model 'mine' is in use by process {holder.pid} since [0-9:]{{8}} \(composer train abc 'my tunes/' '"
    assert caught.match(expected)
    assert "\x1b" not in caught.value.message
    assert isinstance(caught.value, ComposerError)
    assert path.exists()
    with acquire(path):
        pass
    assert not path.exists()


def test_a_lock_whose_file_is_removed_is_taken_again(tmp_path, monkeypatch):
    """The holder removes its file after another process has opened it: locking that file would protect nothing."""
    path, first = tmp_path / "lock", acquire(tmp_path / "lock")
    real = locks.try_lock

    def release_first(file):
        first.release()
        return real(file)

    monkeypatch.setattr(locks, "try_lock", release_first)
    with acquire(path):
        monkeypatch.undo()
        with pytest.raises(locks.NameInUse, match="in use by process"):
            acquire(path)


def test_a_signal_before_the_name_is_held_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(locks, "_write_holder", interrupted)
    with pytest.raises(KeyboardInterrupt):
        acquire(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1, "since": 1e99, "host": 1}', b"\xff"])
def test_any_content_is_harmless(tmp_path, content):
    path = tmp_path / "lock"
    path.write_bytes(content)
    other = os.open(path, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(locks.NameInUse, match=r"^model 'mine' is in use$"):
        acquire(path)
    os.close(other)
    acquire(path).release()


def test_a_holder_that_has_not_yet_said_who_it_is(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    other = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: locks._write_holder(other))
    with pytest.raises(locks.NameInUse, match=f"in use by process {os.getpid()} since"):
        acquire(path)
    os.close(other)


def test_links_are_not_followed(tmp_path):
    (tmp_path / "precious").write_text("tune")
    (tmp_path / "lock").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic links"):
        acquire(tmp_path / "lock")
    assert (tmp_path / "precious").read_text() == "tune"


def test_file_systems_without_locks(tmp_path, monkeypatch):
    def fail(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with acquire(tmp_path / "lock") as lock:
        assert f"the file system of {tmp_path} cannot lock files" in lock.unsupported
    assert not list(tmp_path.iterdir())


def test_a_forked_process_does_not_keep_a_lock(tmp_path):
    """The process that holds it is killed, so the file stays, while the one that it has forked lives on."""
    lock = acquire(tmp_path / "lock")
    reader, writer = os.pipe()
    started, says = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.write(says, b"1")
        os.read(reader, 1)
        os._exit(0)
    os.read(started, 1)
    locks._open.discard(lock._file)
    os.close(lock._file)
    try:
        acquire(tmp_path / "lock").release()
    finally:
        os.close(writer)
        os.waitpid(child, 0)
