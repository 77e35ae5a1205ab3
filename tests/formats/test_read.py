"""Reading files of any format as scores, by content."""

from fractions import Fraction

import pytest

from composer.api import Note, Part, ReadError, RejectedPiece, Score
from composer.api.testing import source
from composer.formats import write
from composer.formats.read import is_music, read_playable, read_scores

SCORE = Score((Part((Note(Fraction(0), 60, Fraction(1)), Note(Fraction(1), 64, Fraction(1)))),))
TUNES = "X:1\nM:4/4\nK:C\nCDEF|\n\nX:2\nM:4/4\nK:C\nz4|\n"


def pitches(score):
    return [note.pitch for note in score.notes]


@pytest.mark.parametrize("name", ["a.mid", "a.musicxml", "a.abc", "music.bin"])
@pytest.mark.parametrize("written", ["midi", "musicxml", "abc"])
def test_content_decides_not_the_suffix(name, written):
    file = source(write(written, SCORE), name)
    assert is_music(file)
    [(label, score)] = read_scores(file)
    assert label.startswith(name)
    assert pitches(score) == [60, 64]


def test_kern():
    [(_, score)] = read_scores(source("**kern\n*M2/4\n4c\n4e\n*-\n", "a.krn"))
    assert pitches(score) == [60, 64]


def test_tunes_have_names_and_silent_ones_are_rejected():
    (one, first), (two, second) = read_scores(source(TUNES, "two.abc"))
    assert (one, two) == ("two.abc: tune 1", "two.abc: tune 2")
    assert pitches(first) == [60, 62, 64, 65]
    assert isinstance(second, RejectedPiece)
    assert second.detail == "line 6"
    assert [pitches(score) for score in read_playable(source(TUNES, "two.abc"))] == [[60, 62, 64, 65]]


@pytest.mark.parametrize("content", ["", "  \n", "Row, row, row your boat\n", "X:1\nM:4/4\nK:C\nz4|\n"])
def test_files_without_music(content):
    with pytest.raises(ReadError, match=r"song\.txt"):
        list(read_playable(source(content, "song.txt")))


def test_damaged_music_is_music_and_prose_is_not():
    assert not is_music(source("Row, row, row your boat\n", "song.txt"))
    assert not is_music(source(b"\0\1\2", "data.bin"))
    assert is_music(source(b"MThd", "a.mid"))
    assert is_music(source("<?xml", "a.xml"))
