"""Broken ABC is read by guess, and each kind of guess is counted with its first place."""

from __future__ import annotations

import pytest

from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.score import read_score

HEADER = "X:1\nM:4/4\nL:1/4\nK:C\n"


@pytest.mark.parametrize(
    ("body", "phrase", "count", "place"),
    [
        ("C E1/0 G1/0 c|", "impossible note lengths changed", 2, "line 5, column 3"),
        ("C ? E ; G|", "unknown characters left out", 2, "line 5, column 3"),
        ("C E] G c|", "brackets without a partner left out", 1, "line 5, column 4"),
        ("C [] G c|", "empty chords left out", 1, "line 5, column 4"),
        ("C > | G c|", "broken rhythms without a partner left out", 1, "line 5, column 5"),
        ("(0CEG c|", "unknown tuplets left out", 1, "line 5, column 1"),
        ("c (3CE|", "incomplete tuplets played as written", 1, "line 5, column 7"),
        ("|:CEGc|[0 CEGc:|", "impossible endings left out", 1, "line 5, column 8"),
        ("CEGc|[3 c4:|", "mismatched endings played by guess", 1, "line 5, column 5"),
        ("|:CEGc|c4|]", "repeats without an end played once", 1, "line 5, column 10"),
        ("- CEGc|", "ties without a note left out", 1, "line 5, column 1"),
        ("[M:4/]CEGc|", "unknown meters left out", 1, "line 5, column 2"),
        ("[L:x]CEGc|", "unknown unit lengths left out", 1, "line 5, column 2"),
        ("[K:C shift=CD]CEGc|", "unknown transpositions left out", 1, "line 5, column 2"),
    ],
)
def test_guesses_in_the_music(body: str, phrase: str, count: int, place: str) -> None:
    score = read_score(f"{HEADER}{body}\n")
    assert score.losses == {phrase: count}
    assert score.places == {phrase: place}


@pytest.mark.parametrize(
    ("text", "phrase", "place"),
    [
        ("X:1\nL:1/4\nK:Zzz\nCEGc|\n", "unknown keys left out", "line 3, column 1"),
        ("X:1\nL:1/4\nCEGc|\n", "missing keys taken as C major", "line 3, column 1"),
        ("X:1\nCEGc|\nL:1/4\nK:C\nCEGc|\n", "lines of text before the key left out", "line 2, column 1"),
    ],
)
def test_guesses_in_the_header(text: str, phrase: str, place: str) -> None:
    score = read_score(text)
    assert (score.losses, score.places) == ({phrase: 1}, {phrase: place})


@pytest.mark.parametrize(
    "body",
    [
        "|:CEGc|1 c4:|2 C4|]", "CEGc|1 c4|2 C4|]", "CEGc|!\nc4*|]", "|]CEGc|", "CEGc-|c4|", "(3CEG (3CEG c2|",
        "C>E G<c|", "|:CEGc|1 c4:|2 C4|", "[CEG]4 | x4 | Z |]",
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_is_clear(body: str) -> None:
    score = read_score(f"{HEADER}{body}\n")
    assert not score.losses
    assert not score.places


def test_a_guess_in_several_voices_is_counted_once_for_each() -> None:
    score = read_score(f"{HEADER}V:1\n|:CEGc|c4|]\nV:2\n|:C4|G4|]\n")
    assert score.losses == {"repeats without an end played once": 2}


def test_the_dialect_counts_what_it_reads_by_guess() -> None:
    normal = normalize(split_tunes(f"{HEADER}CE?Gc|cGEC|C4|]\n")[0])
    assert isinstance(normal, NormalizedTune)
    assert normal.losses == {"unknown characters left out": 1}
