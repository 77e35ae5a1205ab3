"""The cache of scores returns what was read, and its failures are not errors."""

import json
import os
import stat
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo
from composer.formats import write
from composer.formats.musicxml import cache as musicxml_cache
from composer.formats.musicxml import reader as musicxml_reader
from composer.formats.musicxml.cache import through_cache
from composer.formats.musicxml.reader import read_notation
from composer.system import cache_dir
from composer.system.paths import cache_folder

SCORE = Score(
    (Part((Note(Fraction(1, 3), 60, Fraction(2, 5), 70),), "Flöte", 73), Part(percussion=True)),
    (ChordSymbol(Fraction(0), Fraction(4), "Gm/Bb"),),
    (Tempo(Fraction(0), 132.5),),
    (Meter(Fraction(1, 2), 6, 8),),
    (Key(Fraction(0), -2, "dorian"),),
    Fraction(1, 2),
    "Señor",
    {"grace notes left out": 3},
)


class Reader:
    """Returns a score and counts the calls."""

    def __init__(self, score=SCORE):
        self.score, self.calls = score, 0

    def __call__(self):
        self.calls += 1
        return self.score


def entries():
    return sorted((cache_folder() / "scores").iterdir())


def test_the_same_bytes_are_read_once():
    reader = Reader()
    first, second = through_cache(b"one", "1", reader), through_cache(b"one", "1", reader)
    assert first == second == SCORE
    assert second.losses == SCORE.losses
    assert reader.calls == 1


def test_other_bytes_and_readers_have_their_own_entries():
    reader = Reader()
    for data, version in [(b"one", "1"), (b"two", "1"), (b"one", "2")]:
        through_cache(data, version, reader)
    assert reader.calls == 3


def few(each):
    """Up to three, which show as much as many."""
    return st.lists(each, max_size=3).map(tuple)


TIMES = st.fractions(0, 50, max_denominator=97)
NOTES = st.builds(Note, TIMES, st.integers(0, 127), TIMES, st.integers(1, 127))
SCORES = st.builds(
    Score,
    few(st.builds(Part, few(NOTES), st.text(), st.integers(0, 127), st.booleans())),
    few(st.builds(ChordSymbol, TIMES, TIMES, st.text())),
    few(st.builds(Tempo, TIMES, st.floats(1, 400))),
    pickup=TIMES,
    title=st.text(),
)


@given(SCORES)
def test_scores_survive_a_round_trip(score):
    assert musicxml_cache._score(json.loads(json.dumps(musicxml_cache._plain(score), default=str))) == score


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-9], lambda data: b"", lambda data: bytes([data[0] ^ 1]) + data[1:],
     lambda data: data.replace(b"70", b"71"), lambda data: data[:32] + b"[]", lambda data: b"\xff" * 50],
)  # fmt: skip
def test_a_damaged_entry_is_replaced(damage):
    reader = Reader()
    through_cache(b"one", "1", reader)
    (entry,) = entries()
    entry.write_bytes(damage(entry.read_bytes()))
    assert through_cache(b"one", "1", reader) == SCORE
    assert reader.calls == 2
    assert through_cache(b"one", "1", reader) == SCORE
    assert reader.calls == 2
    assert entries() == [entry]


NOTE = ["0", 60, "1", 80]
SHAPES = [
    [], {}, 1, None, "text", [[]] * 9, [[], [], [], [], [], "0", "", {}, [1]],
    [[[[NOTE], "", 0]], [], [], [], [], "0", "", {}, []],
    [[[[NOTE], 5, 0, False]], [], [], [], [], "0", "", {}, []],
    [[[[["0", "60", "1", 80]], "", 0, False]], [], [], [], [], "0", "", {}, []],
    [[[[["1/0", 60, "1", 80]], "", 0, False]], [], [], [], [], "0", "", {}, []],
    [[[[["1e999999999", 60, "1", 80]], "", 0, False]], [], [], [], [], "0", "", {}, []],
    [[[[["0", 10**30, "1", 80]], "", 0, False]], [], [], [], [], "0", "", {}, []],
    [[], [], [["0", "fast"]], [], [], "0", "", {}, []], [[], [], [], [["0", 4]], [], "0", "", {}, []],
    [[], [], [], [], [], "0", "", {"a": "b"}, []], [[], [], [], [], [], "0", None, {}, []],
    [[], [], [], [], [], "0", "", [], []],
]  # fmt: skip


@pytest.mark.parametrize("planted", [json.dumps(shape).encode() for shape in SHAPES] + [b"[" * 100_000])
def test_a_planted_entry_of_another_shape_is_replaced(planted):
    reader = Reader()
    through_cache(b"one", "1", reader)
    (entry,) = entries()
    entry.write_bytes(musicxml_cache._digest(planted).encode() + planted)
    assert through_cache(b"one", "1", reader) == SCORE
    assert reader.calls == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("plant", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_planted_pipe_folder_or_device_is_no_entry(plant):
    reader = Reader()
    through_cache(b"one", "1", reader)
    (entry,) = entries()
    entry.unlink()
    plant(entry)
    assert through_cache(b"one", "1", reader) == SCORE
    assert reader.calls == 2


@pytest.mark.skipif(os.name == "nt", reason="no modes on this system")
def test_a_folder_that_others_can_write_to_is_ignored_with_a_word(monkeypatch):
    reader, words = Reader(), []
    monkeypatch.setattr(musicxml_cache, "warn_once", words.append)
    through_cache(b"one", "1", reader)
    cache_folder().chmod(0o777)
    assert through_cache(b"one", "1", reader) == SCORE
    assert reader.calls == 2
    assert f"chmod go-w {cache_folder()}" in words[0]


def test_an_unwritable_cache_is_not_an_error(home):
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    cache_folder().write_text("a file instead of the folder")
    assert through_cache(b"one", "1", Reader()) == SCORE


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_not_an_error(home):
    cache_folder().mkdir(parents=True)
    cache_folder().chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert through_cache(b"one", "1", Reader()) == SCORE


def test_failures_are_not_cached():
    def failing():
        raise ReadError("one.xml is broken")

    with pytest.raises(ReadError):
        through_cache(b"one", "1", failing)
    assert through_cache(b"one", "1", Reader()) == SCORE


def test_the_oldest_entries_are_removed_first(tmp_path):
    for age in range(10):
        path = tmp_path / f"{age}.json"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    cache_dir.prune_files(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) == 10
    cache_dir.prune_files(tmp_path, 999)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [str(age) for age in range(9)]


def test_notation_uses_the_cache(monkeypatch):
    data = write("musicxml", SCORE)
    first = read_notation(data, "one.xml")
    monkeypatch.setattr(musicxml_reader, "_read", None)
    assert read_notation(data, "the same by another name.xml") == first
