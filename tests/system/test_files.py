"""Files are written whole or not at all, through temporary files that are nobody else's."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from composer.system import files, locks
from composer.system.files import Occupied, create_exclusive, open_existing, write_atomic

KILLED = """
import os, signal
from pathlib import Path
from composer.system.files import write_atomic
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
write_atomic(Path({path!r}), b"half")
"""


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    path = tmp_path / "tune.abc"
    killed = subprocess.run([sys.executable, "-c", KILLED.format(path=str(path))], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert files.TEMPORARY.fullmatch(left.name)
    own = [tmp_path / name for name in ("tune.abc.part", ".composer-mine.tmp", ".tune.abc.12345678")]
    for each in own:
        each.write_text("precious")
    write_atomic(path, b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, *own])


def test_a_file_that_is_being_written_is_no_leftover(tmp_path, monkeypatch):
    def fsync(file):
        files._remove_leftovers(tmp_path)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomic(tmp_path / "tune.abc", b"whole")
    assert (tmp_path / "tune.abc").read_bytes() == b"whole"


def test_a_temporary_file_that_was_taken_for_a_leftover_is_replaced(tmp_path, monkeypatch):
    """Another process removes it before it is locked."""
    taken = []

    def try_lock(file):
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        return locks.try_lock(file)

    monkeypatch.setattr(files, "try_lock", try_lock)
    write_atomic(tmp_path / "tune.abc", b"whole")
    assert (tmp_path / "tune.abc").read_bytes() == b"whole"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_must_not_be_replaced_stays(tmp_path, monkeypatch, links):
    def no_links(*arguments, **options):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "tune.abc"
    write_atomic(path, b"first", replace=False)
    with pytest.raises(Occupied):
        write_atomic(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    path.unlink()
    path.symlink_to("elsewhere")
    with pytest.raises(Occupied):
        write_atomic(path, b"second", replace=False)
    assert list(tmp_path.iterdir()) == [path]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "precious").write_text("tune")
    link = tmp_path / "link"
    link.symlink_to("precious")
    with pytest.raises(FileExistsError):
        create_exclusive(link)
    with pytest.raises(OSError, match="symbolic links"):
        open_existing(link)
    write_atomic(link, b"new")
    assert (tmp_path / "precious").read_text() == "tune"
    assert not link.is_symlink()


def test_a_file_below_a_thousand_new_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomic(Path("a/" * 1200, "tune.abc"), b"whole")
    assert Path("a/" * 1200, "tune.abc").read_bytes() == b"whole"
    folder = Path("a/" * 1200)
    Path("a/" * 1200, "tune.abc").unlink()
    while folder != Path():  # pytest could not remove them
        folder.rmdir()
        folder = folder.parent
