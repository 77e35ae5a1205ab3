"""Ranks that train together: the main process builds the data set, the others wait for it. Here ranks are threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from composer.api import ComposerError, ReadError
from composer.data import shards
from composer.data.dataset import prepare
from composer.distributed.environment import ProcessInfo
from composer.distributed.group import ProcessGroup

TIMEOUT = 20


class Threads(ProcessGroup):
    """One of several threads that wait for each other."""

    def __init__(self, rank, world_size, barrier, board):
        super().__init__(ProcessInfo(rank, world_size, rank))
        self._barrier, self._board = barrier, board

    def all_gather_floats(self, values):
        self._board[self.process.rank] = list(values)
        self._barrier.wait(TIMEOUT)
        found = list(self._board)
        self._barrier.wait(TIMEOUT)
        return found

    @contextmanager
    def main_process_first(self):
        for _ in range(self.process.rank):
            self._barrier.wait(TIMEOUT)
        yield
        for _ in range(self.process.rank + 1, self.process.world_size):
            self._barrier.wait(TIMEOUT)


def on_ranks(world_size, prepared):
    """Return the result of `prepared(group)` on each rank."""
    barrier, board = threading.Barrier(world_size), [None] * world_size

    def ranked(rank):
        try:
            return prepared(Threads(rank, world_size, barrier, board))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(world_size) as pool:
        return [future.result() for future in [pool.submit(ranked, rank) for rank in range(world_size)]]


def test_the_main_process_builds_and_the_others_wait(letters, tunes, home):
    type(letters).reads = 0
    first, *others = on_ranks(3, lambda group: prepare(type(letters)(), [str(tunes)], group=group))
    assert type(letters).reads == 3
    assert len(list((home / "cache").iterdir())) == 1
    for dataset in others:
        assert (dataset.report, dataset.encoded_digest, dataset.digest, dataset.cached) == (
            first.report,
            first.encoded_digest,
            first.digest,
            False,
        )
    assert all(dataset.cached for dataset in on_ranks(2, lambda group: prepare(letters, [str(tunes)], group=group)))


def test_ranks_with_other_caches_build_their_own(letters, tunes, tmp_path, monkeypatch):
    def cache_folder():
        return tmp_path / threading.current_thread().name.rpartition("_")[2] / "cache"

    monkeypatch.setattr("composer.data.dataset.cache_folder", cache_folder)
    type(letters).reads = 0
    first, second = on_ranks(2, lambda group: prepare(type(letters)(), [str(tunes)], group=group))
    assert first.encoded_digest == second.encoded_digest
    assert type(letters).reads == 2 * 3


def test_other_files_on_another_machine_are_another_data_set(letters, tunes, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "0.txt").write_text("fog mist tree")
    folders = [str(tunes), str(tmp_path / "other")]
    ours, theirs = on_ranks(2, lambda group: prepare(type(letters)(), [folders[group.process.rank]], group=group))
    assert ours.encoded_digest != theirs.encoded_digest


def test_an_error_of_the_main_process_ends_all_and_leaves_no_files(letters, tunes, home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards.ChecksumWriter, "write", full)
    with pytest.raises((ComposerError, threading.BrokenBarrierError)):
        on_ranks(2, lambda group: prepare(type(letters)(), [str(tunes)], group=group))
    assert not list((home / "cache").iterdir())


def test_nothing_to_read_is_an_error_on_all_ranks(letters, tmp_path):
    (tmp_path / "void.txt").write_text("")
    with pytest.raises((ReadError, threading.BrokenBarrierError)):
        on_ranks(2, lambda group: prepare(type(letters)(), [str(tmp_path / "void.txt")], group=group))
