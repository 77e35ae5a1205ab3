"""Entries of the cache are replaced whole, and the first of two processes that write the same one wins."""

import shutil

import pytest

from composer.system import cache_dir
from composer.system.cache_dir import MANIFEST, atomic_folder


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_text(text)


def test_an_old_entry_is_replaced(tmp_path):
    entry = tmp_path / "entry"
    write(entry, "damaged")
    with atomic_folder(entry) as folder:
        write(folder, "new")
    assert (entry / MANIFEST).read_text() == "new"
    assert list(tmp_path.iterdir()) == [entry]


@pytest.mark.parametrize("before", ["", "damaged"])
def test_an_entry_that_another_process_has_just_written_stays(tmp_path, before):
    entry = tmp_path / "entry"
    if before:
        write(entry, before)
    with atomic_folder(entry) as folder:
        write(folder, "second")
        with atomic_folder(entry) as other:
            write(other, "first")
    assert (entry / MANIFEST).read_text() == "first"
    assert list(tmp_path.iterdir()) == [entry]


def test_an_entry_that_appears_at_the_last_moment_stays(tmp_path, monkeypatch):
    entry, rmtree = tmp_path / "entry", shutil.rmtree

    def remove(folder, **options):
        rmtree(folder, **options)
        write(entry, "first")

    entry.mkdir()
    with atomic_folder(entry) as folder:
        write(folder, "second")
        monkeypatch.setattr(cache_dir.shutil, "rmtree", remove)
    assert (entry / MANIFEST).read_text() == "first"


def test_what_a_killed_process_has_left_is_removed_by_the_next_one(tmp_path):
    """What a living process is writing stays."""
    for name in ("killed", "killed early"):
        (tmp_path / f".making-{name}.lock").write_text("")
    (tmp_path / ".making-killed").mkdir()
    (tmp_path / ".making-killed" / "pieces").write_text("half")
    with atomic_folder(tmp_path / "first") as living:
        write(living, "first")
        with atomic_folder(tmp_path / "second") as folder:
            write(folder, "second")
            assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {living.name, folder.name}
        assert (living / MANIFEST).is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}
