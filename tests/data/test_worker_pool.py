"""Reading in worker processes: the same as reading here, whatever becomes of a worker."""

import multiprocessing
import os
import pickle
import signal
import sys
from pathlib import Path

import pytest

from composer.api import ReadError, Source
from composer.data import corpus, source_reader, worker_pool

FRAGILE = '''
import os

from composer.api import Piece, ReadError, Refused
from tests_letters import Letters


class Fragile(Letters):
    """Words; some of them do to whoever reads them what they say."""

    def read(self, source):
        for word in source.text().split():
            if word == "die":
                os._exit(3)
            if word == "burst":
                raise MemoryError
            if word == "refuse":
                raise ReadError(f"{source.label} has had enough", "leave it alone")
            if word == "odd":
                yield Piece(lambda: word)
            elif word == "digit":
                yield Refused("a word has a digit", source.label, word)
            elif word == "torch":
                import sys

                yield Piece(str("torch" in sys.modules))
            else:
                yield Piece(word, source=source.label, labels={"author": "me"})


class Unready(Letters):
    """Words, for a process that has them already."""

    def __setstate__(self, state):
        os._exit(4)
'''


@pytest.fixture
def fragile(tmp_path, monkeypatch, letters):
    """The module above, where worker processes find it, with the letters of these tests."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "fragile.py").write_text(FRAGILE)
    (folder / "tests_letters.py").write_bytes(Path(__file__).parents[1].joinpath("small_plugins.py").read_bytes())
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(worker_pool, "_cores", lambda: 2)
    import fragile

    yield fragile
    for name in ("fragile", "tests_letters"):
        del sys.modules[name]


def source(text, number=0):
    return Source(Path(f"{number}.txt"), name=f"{number}.txt", data=text.encode())


def told(outcomes):
    return [
        ([getattr(item, "content", item) for item in outcome.items], outcome.error and outcome.error.message)
        for outcome in outcomes
    ]


def test_the_outcomes_are_those_of_reading_here_in_the_same_order(fragile):
    texts = ["one two", "three digit four", "five refuse six", "", "burst", *map(str, range(30))]
    found = [source(text, number) for number, text in enumerate(texts)]
    found.insert(4, ReadError("cannot be opened", "check that you may"))
    representation = fragile.Fragile()
    side_by_side = list(worker_pool.outcomes(representation, iter(found)))
    here = [outcome for each in found for outcome in source_reader.read(representation, each)]
    assert told(side_by_side) == told(here)
    assert [outcome.items for outcome in side_by_side] == [outcome.items for outcome in here]
    assert side_by_side[2].error.hint == "leave it alone"


def test_a_worker_that_dies_costs_one_source(fragile):
    texts = ["one", "die", "two", "die", "die", "die", "three", "four"]
    found = [source(text, number) for number, text in enumerate(texts)]
    outcomes = told(worker_pool.outcomes(fragile.Fragile(), iter(found)))
    assert [pieces for pieces, _ in outcomes] == [["one"], [], ["two"], [], [], [], ["three"], ["four"]]
    assert outcomes[1][1] == "1.txt ended the process that read it (code 3)"
    assert [error is None for _, error in outcomes] == [text != "die" for text in texts]


def test_what_cannot_be_sent_is_read_here(fragile):
    found = [source("one"), source("odd"), source("two")]
    outcomes = list(worker_pool.outcomes(fragile.Fragile(), iter(found)))
    assert outcomes[1].items[0].content() == "odd"
    assert told(outcomes)[2] == (["two"], None)


def sheets(words):
    """What reading `words` here gives, at most SHEET pieces at a time."""
    return [words[start : start + source_reader.SHEET] for start in range(0, len(words), source_reader.SHEET)]


def test_a_source_of_many_pieces_comes_sheet_by_sheet(fragile, monkeypatch):
    monkeypatch.setattr(worker_pool, "SHEETS_AHEAD", 1)
    words = [f"w{number}" for number in range(3 * source_reader.SHEET + 7)]
    found = [source(" ".join(words), number) for number in range(4)]
    outcomes = list(worker_pool.outcomes(fragile.Fragile(), iter(found)))
    assert told(outcomes) == [(sheet, None) for sheet in sheets(words)] * 4
    assert [outcome.last for outcome in outcomes] == [False, False, False, True] * 4


def test_what_a_worker_had_read_before_it_died_is_kept(fragile):
    words = ["one"] * (2 * source_reader.SHEET + 1)
    outcomes = told(worker_pool.outcomes(fragile.Fragile(), iter([source(" ".join([*words, "die"])), source("two")])))
    assert outcomes[:2] == [(words[: source_reader.SHEET], None)] * 2
    assert outcomes[2:] == [([], "0.txt ended the process that read it (code 3)"), (["two"], None)]


def test_what_cannot_be_sent_is_read_here_from_where_the_worker_was(fragile):
    words = [f"w{number}" for number in range(2 * source_reader.SHEET)] + ["last", "odd"]
    outcomes = list(worker_pool.outcomes(fragile.Fragile(), iter([source(" ".join(words)), source("two")])))
    assert told(outcomes[:2]) == [(sheet, None) for sheet in sheets(words)[:2]]
    last, odd = outcomes[2].items
    assert (last.content, odd.content()) == ("last", "odd")
    assert told(outcomes[3:]) == [(["two"], None)]


def test_workers_that_cannot_start_leave_the_reading_to_us(fragile):
    outcomes = worker_pool.outcomes(fragile.Unready(), iter([source("one"), source("two")]))
    assert told(outcomes) == [(["one"], None), (["two"], None)]


def test_a_representation_that_cannot_be_sent_reads_here(letters):
    class Local(type(letters)):
        """Known to this process alone."""

    with pytest.raises(Exception):  # noqa: B017, PT011
        pickle.dumps(Local())
    assert told(worker_pool.outcomes(Local(), iter([source("one"), source("two")]))) == [
        (["one"], None),
        (["two"], None),
    ]


def test_workers_load_no_torch(fragile):
    assert (
        told(worker_pool.outcomes(fragile.Fragile(), iter([source("torch"), source("torch")])))
        == [(["False"], None)] * 2
    )


def test_no_more_sources_are_opened_than_are_soon_read(fragile):
    opened = []

    def found():
        for number in range(100):
            opened.append(number)
            yield source("word", number)

    outcomes = worker_pool.outcomes(fragile.Fragile(), found())
    next(outcomes)
    assert len(opened) <= 2 * worker_pool.AHEAD + 1
    outcomes.close()


def test_no_process_is_left_when_reading_is_broken_off(fragile, tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text("word")
    monkeypatch.setattr(source_reader, "PATIENCE", 0.0)

    def interrupt(count, pieces):
        if count == 5:
            assert multiprocessing.active_children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus.read(fragile.Fragile(), [str(tmp_path)], progress=interrupt)
    assert not multiprocessing.active_children()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_workers_do_not_hear_ctrl_c(fragile):
    outcomes = worker_pool.outcomes(fragile.Fragile(), iter([source("one", number) for number in range(30)]))
    next(outcomes)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGINT)
    assert told(outcomes) == [(["one"], None)] * 29
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_corpus_is_the_same_with_and_without_patience(fragile, tunes, monkeypatch):
    counted = []
    patient = corpus.read(fragile.Fragile(), [str(tunes)], progress=lambda *counts: counted.append(counts))
    monkeypatch.setattr(source_reader, "PATIENCE", 0.0)
    again = []
    hasty = corpus.read(fragile.Fragile(), [str(tunes)], progress=lambda *counts: again.append(counts))
    assert hasty == patient
    assert again == counted == [(1, 20), (2, 40), (3, 60)]


def test_one_source_alone_is_read_here(letters, monkeypatch):
    monkeypatch.setattr(source_reader, "PATIENCE", 0.0)
    monkeypatch.setattr(worker_pool, "outcomes", None)
    assert told(source_reader.outcomes(letters, [source("one")])) == [(["one"], None)]
