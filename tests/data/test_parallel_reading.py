"""Reading in worker processes: the same results as in one process, whatever happens to a worker."""

import multiprocessing
import os
import signal
import sys
from itertools import islice
from pathlib import Path

import pytest

from composer.api import ReadError, Source
from composer.data import corpus, parallel_reading, source_reading
from composer.data.parallel_reading import read_sources
from composer.data.source_reading import read_source

FRAGILE = '''
import os
import sys
import time

from composer.api import Piece, ReadError, RejectedPiece
from tests_letters import Letters


class Fragile(Letters):
    """Words, some of which are instructions to the process that reads them."""

    def read(self, source):
        for word in source.text().split():
            if word == "die":
                os._exit(3)
            if word == "hang":
                time.sleep(1000)
            if word == "burst":
                raise MemoryError
            if word == "fail":
                raise ReadError(f"{source.label} has had enough", "leave it alone")
            if word == "odd":
                yield Piece(lambda: word)
            elif word == "digit":
                yield RejectedPiece("a word has a digit", source.label, word)
            elif word == "torch":
                yield Piece(str("torch" in sys.modules))
            else:
                yield Piece(word, source=source.label, labels={"author": "me"})


class Unready(Letters):
    """A representation that cannot be unpickled."""

    def __setstate__(self, state):
        raise ImportError
'''


@pytest.fixture
def fragile(tmp_path, monkeypatch, letters):
    """The module above, importable in worker processes, which are used from the beginning."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "fragile.py").write_text(FRAGILE)
    (folder / "tests_letters.py").write_bytes(
        Path(__file__).parents[1].joinpath("support", "small_plugins.py").read_bytes()
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(parallel_reading, "_available_cores", lambda: 2)
    monkeypatch.setattr(parallel_reading, "SECONDS_BEFORE_WORKERS", 0.0)
    import fragile

    yield fragile
    for name in ("fragile", "tests_letters"):
        del sys.modules[name]


def sources(*texts):
    return [
        Source(Path(f"{number}.txt"), name=f"{number}.txt", data=text.encode()) for number, text in enumerate(texts)
    ]


def contents(results):
    return [
        ([getattr(item, "content", item) for item in result.items], result.error and result.error.message)
        for result in results
    ]


def test_results_are_those_of_one_process_in_the_same_order(fragile):
    found = sources("one two", "three digit four", "five fail six", "", "burst", *map(str, range(30)))
    found.insert(4, ReadError("cannot be opened", "check that you may"))
    representation = fragile.Fragile()
    parallel = list(read_sources(representation, found))
    serial = [result for source in found for result in read_source(representation, source)]
    assert contents(parallel) == contents(serial)
    assert [result.items for result in parallel] == [result.items for result in serial]
    assert parallel[2].error.hint == "leave it alone"


def test_a_worker_that_dies_costs_one_source(fragile):
    texts = ["one", "die", "two", "die", "die", "die", "three", "four"]
    results = contents(read_sources(fragile.Fragile(), sources(*texts)))
    assert [pieces for pieces, _ in results] == [["one"], [], ["two"], [], [], [], ["three"], ["four"]]
    assert results[1][1] == "1.txt: the process that read it ended with code 3"
    assert [error is None for _, error in results] == [text != "die" for text in texts]


def test_a_source_that_takes_too_long_is_one_error_that_names_the_limit(fragile, monkeypatch):
    monkeypatch.setattr(parallel_reading, "MIN_TIME_LIMIT", 5.0)
    texts = ["one", "hang", "two", "three"]
    results = contents(read_sources(fragile.Fragile(), sources(*texts)))
    assert results == [
        (["one"], None),
        ([], "1.txt: reading took longer than 5 seconds"),
        (["two"], None),
        (["three"], None),
    ]
    assert not multiprocessing.active_children()


def test_a_large_source_may_take_longer():
    (source,) = sources("x" * 10_000_000)
    assert parallel_reading._time_limit(source) == 500


def test_pieces_that_are_not_data_are_read_in_this_process(fragile):
    results = list(read_sources(fragile.Fragile(), sources("one", "odd", "two")))
    assert results[1].items[0].content() == "odd"
    assert contents(results)[2] == (["two"], None)


def chunks(words):
    return [words[start : start + source_reading.CHUNK] for start in range(0, len(words), source_reading.CHUNK)]


def test_a_source_with_many_pieces_comes_in_chunks(fragile):
    words = [f"w{number}" for number in range(3 * source_reading.CHUNK + 7)]
    results = list(read_sources(fragile.Fragile(), sources(*4 * [" ".join(words)])))
    assert contents(results) == [(chunk, None) for chunk in chunks(words)] * 4
    assert [result.last for result in results] == [False, False, False, True] * 4


def test_what_a_worker_read_before_it_died_is_kept(fragile):
    words = ["one"] * (2 * source_reading.CHUNK + 1)
    results = contents(read_sources(fragile.Fragile(), sources(" ".join([*words, "die"]), "two")))
    assert results[:2] == [(words[: source_reading.CHUNK], None)] * 2
    assert results[2:] == [([], "0.txt: the process that read it ended with code 3"), (["two"], None)]


def test_only_the_rest_is_read_in_this_process(fragile):
    words = [f"w{number}" for number in range(2 * source_reading.CHUNK)] + ["last", "odd"]
    results = list(read_sources(fragile.Fragile(), sources(" ".join(words), "two")))
    assert contents(results[:2]) == [(chunk, None) for chunk in chunks(words)[:2]]
    last, odd = results[2].items
    assert (last.content, odd.content()) == ("last", "odd")
    assert contents(results[3:]) == [(["two"], None)]


def test_workers_that_cannot_load_the_representation_leave_reading_to_this_process(fragile):
    results = read_sources(fragile.Unready(), sources("one", "two"))
    assert contents(results) == [(["one"], None), (["two"], None)]


@pytest.mark.parametrize("executable", [b"/bin/false", b"/nowhere/python"])
@pytest.mark.skipif(os.name == "nt", reason="paths are of POSIX")
def test_processes_that_cannot_start_leave_reading_to_this_process(fragile, monkeypatch, executable):
    monkeypatch.setattr("multiprocessing.spawn._python_exe", executable)
    assert contents(read_sources(fragile.Fragile(), sources("one", "two"))) == [(["one"], None), (["two"], None)]


def test_a_representation_that_cannot_be_pickled_reads_in_this_process(letters, fragile):
    class Local(type(letters)):
        """Not importable."""

    assert contents(read_sources(Local(), sources("one", "two"))) == [(["one"], None), (["two"], None)]
    assert not multiprocessing.active_children()


def test_workers_load_no_torch(fragile):
    assert contents(read_sources(fragile.Fragile(), sources("torch", "torch"))) == [(["False"], None)] * 2


def test_few_sources_are_opened_ahead(fragile):
    opened = []

    def found():
        for source in sources(*100 * ["word"]):
            opened.append(source)
            yield source

    results = read_sources(fragile.Fragile(), found())
    list(islice(results, 3))
    assert len(opened) <= 2 * parallel_reading.READ_AHEAD + 3
    results.close()


def test_no_process_or_file_is_left_after_an_interrupt(fragile, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text("word")

    def interrupt(count, pieces):
        if count == 5:
            assert multiprocessing.active_children()
            assert list((tmp_path / "temporary").iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.read(fragile.Fragile(), [str(tmp_path / "*.txt")], progress=interrupt)
    assert not multiprocessing.active_children()
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_workers_ignore_ctrl_c(fragile):
    results = read_sources(fragile.Fragile(), sources(*30 * ["one"]))
    next(results)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGINT)
    assert contents(results) == [(["one"], None)] * 29
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_progress_does_not_depend_on_who_reads(fragile, tunes, monkeypatch):
    progress = []
    parallel = corpus.read(fragile.Fragile(), [str(tunes)], progress=lambda *counts: progress.append(counts))
    monkeypatch.setattr(parallel_reading, "SECONDS_BEFORE_WORKERS", 30.0)
    monkeypatch.setattr(parallel_reading, "_read_in_workers", None)
    again = []
    serial = corpus.read(fragile.Fragile(), [str(tunes)], progress=lambda *counts: again.append(counts))
    assert serial == parallel
    assert again == progress == [(1, 20), (2, 40), (3, 60)]
