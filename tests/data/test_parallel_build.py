"""Several ranks make the encoding that one process makes, byte for byte. Here they are threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from composer.api import ComposerError, Piece, ReadError
from composer.data import parallel_build, shards, source_reader
from composer.data.dataset import prepare
from composer.data.splits import Split
from composer.distributed.environment import ProcessInfo
from composer.distributed.group import ProcessGroup

PATIENCE = 20


class Threads(ProcessGroup):
    """One of `world` threads that wait for one another."""

    def __init__(self, rank, world, barrier, board):
        super().__init__(ProcessInfo(rank, world, rank))
        self._barrier, self._board = barrier, board

    def all_gather_bytes(self, data):
        self._board[self.process.rank] = data
        self._barrier.wait(PATIENCE)
        found = list(self._board)
        self._barrier.wait(PATIENCE)
        return found

    def all_gather_floats(self, values):
        assert values, "nothing to tell is not waited for"
        return self.all_gather_bytes(list(values))

    def broadcast_bytes(self, make):
        return self.all_gather_bytes(make() if self.is_main else b"")[0]

    @contextmanager
    def main_process_first(self):
        for _ in range(self.process.rank):
            self._barrier.wait(PATIENCE)
        yield
        for _ in range(self.process.rank + 1, self.process.world_size):
            self._barrier.wait(PATIENCE)


def together(world, prepared):
    """What `prepared(group)` gives on each rank."""
    barrier, board = threading.Barrier(world), [None] * world

    def ranked(rank):
        try:
            return prepared(Threads(rank, world, barrier, board))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(world) as pool:
        return [future.result() for future in [pool.submit(ranked, rank) for rank in range(world)]]


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "checked.json"}


@pytest.fixture
def many(tmp_path, tunes):
    """Tunes in folders, some refused, some twice, and a file that is empty."""
    for number in range(7):
        (tunes / f"more{number}.txt").write_text(f"fog tr33 mist{'abc'[number % 3]} w{'o' * number}d tree")
    (tunes / "void.txt").write_text("")
    (tmp_path / "held.txt").write_text("mist tree xyz")
    return tunes


SPLITS = {
    "shares": lambda folder: Split(valid=0.2, test=0.1),
    "files": lambda folder: Split(valid_files=(str(folder / "held.txt"),)),
    "few": lambda folder: Split(valid=0.001),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("augment", [False, True])
def test_ranks_make_what_one_process_makes(letters, many, tmp_path, monkeypatch, world, split, augment):
    monkeypatch.setattr(shards, "SHARD", 100)
    monkeypatch.setattr(source_reader, "SHEET", 4)
    divided = SPLITS[split](tmp_path)
    kind = type(letters)

    def prepared(group):
        return prepare(kind(), [str(many)], divided, augment=augment, group=group)

    monkeypatch.setenv("COMPOSER_HOME", str(tmp_path / "alone"))
    alone = prepared(ProcessGroup())
    monkeypatch.setenv("COMPOSER_HOME", str(tmp_path / "shared"))
    kind.reads = 0
    every = together(world, prepared)
    assert kind.reads == len(list(many.iterdir())) + len(divided.valid_files)
    (ours,), (theirs,) = ((tmp_path / home / "cache").glob("letters-*") for home in ("shared", "alone"))
    assert files_in(ours) == files_in(theirs)
    for dataset in every:
        assert (dataset.report, dataset.encoded, dataset.digest) == (alone.report, alone.encoded, alone.digest)
    assert sorted(path.name.partition("-")[0] for path in ours.parent.iterdir()) in (["letters"], ["known", "letters"])
    assert all(dataset.cached for dataset in together(world, prepared))


def test_what_cannot_be_written_is_read_and_encoded_by_the_first(letters, tunes, monkeypatch):
    class Odd(str):
        def __reduce__(self):
            raise TypeError("this goes nowhere")

    read = type(letters).read

    def reads(self, source):
        for piece in read(self, source):
            yield Piece(Odd(piece.content), source=piece.source) if piece.content[0] in "ab" else piece

    monkeypatch.setattr(type(letters), "read", reads)
    every = together(2, lambda group: prepare(type(letters)(), [str(tunes)], Split(valid=0.2), group=group))
    monkeypatch.setenv("COMPOSER_HOME", str(tunes.parent / "alone"))
    alone = prepare(letters, [str(tunes)], Split(valid=0.2))
    assert every[1].encoded == every[0].encoded == alone.encoded


def test_ranks_that_share_no_disk_take_turns(letters, tunes, monkeypatch):
    monkeypatch.setattr(parallel_build.Crew, "read", None)
    monkeypatch.setattr("composer.data.dataset.share_disk", lambda group, cache: group.any(False)[0])
    type(letters).reads = 0
    every = together(2, lambda group: prepare(type(letters)(), [str(tunes)], group=group))
    assert every[0].encoded == every[1].encoded
    assert type(letters).reads == 3


def test_a_disk_is_shared_where_all_see_it(tmp_path):
    assert together(2, lambda group: parallel_build.share_disk(group, tmp_path / "cache")) == [True, True]
    assert not list((tmp_path / "cache").iterdir())
    assert together(2, lambda group: parallel_build.share_disk(group, tmp_path / str(group.ranks.rank))) == [
        False,
        False,
    ]


def test_other_files_on_another_machine_are_no_common_work(letters, tunes, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "0.txt").write_text("fog mist tree")
    monkeypatch.setattr(parallel_build.Crew, "read", None)
    folders = [str(tunes), str(tmp_path / "other")]
    ours, theirs = together(2, lambda group: prepare(type(letters)(), [folders[group.ranks.rank]], group=group))
    assert ours.encoded != theirs.encoded


def test_an_error_of_one_rank_leaves_nothing_behind(letters, tunes, home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards.Writer, "write", full)
    with pytest.raises((ComposerError, threading.BrokenBarrierError)):
        together(2, lambda group: prepare(type(letters)(), [str(tunes)], group=group))
    assert not list((home / "cache").iterdir())


def test_nothing_to_read_is_an_error_for_all(letters, tmp_path):
    (tmp_path / "void.txt").write_text("")
    with pytest.raises((ReadError, threading.BrokenBarrierError)):
        together(2, lambda group: prepare(type(letters)(), [str(tmp_path / "void.txt")], group=group))
