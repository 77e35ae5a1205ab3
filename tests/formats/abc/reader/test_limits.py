"""Texts that would take too long to parse are refused, and a tune among others costs only itself."""

from pathlib import Path

import pytest

from composer.api import ReadError, RejectedPiece, Source
from composer.formats.abc.reader import lexer
from composer.formats.abc.reader.lexer import is_music, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.read import read_scores

HEADER, TUNE = "X:1\nK:C\n", "X:2\nK:C\nCDEF|\n"
LONG = {
    "a line": HEADER + "C" * (lexer.MAX_LINE_CHARACTERS + 1) + "|\n",
    "a tune": HEADER + "CDEF GABc|\n" * (lexer.MAX_TUNE_CHARACTERS // 10 + 1),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_tune_is_rejected_with_its_limit_and_the_others_are_read(name, monkeypatch):
    source = Source(Path("a.abc"), data=f"{LONG[name]}\n{TUNE}".encode())
    (_, long), (_, fine) = read_scores(source)
    assert isinstance(long, RejectedPiece)
    assert "characters" in long.reason
    assert "COMPOSER_LIMITS=2" in long.reason
    assert len(fine.notes) == 4
    monkeypatch.setenv("COMPOSER_LIMITS", "2")
    lexer.check_tune(split_tunes(LONG[name])[0])


def test_provenance_may_be_longer():
    parse_tune(split_tunes(f"X:1\nN:composer 1.0 {'a' * (lexer.MAX_TUNE_CHARACTERS + 1)}\nK:C\nCDEF|\n")[0])


@pytest.mark.parametrize(("limit", "what"), [("MAX_CHARACTERS", "characters of ABC"), ("MAX_LINES", "lines of ABC")])
def test_a_long_file_is_refused(monkeypatch, limit, what):
    monkeypatch.setattr(lexer, limit, 3)
    with pytest.raises(ReadError, match=f"a.abc has more than 3 {what}") as caught:
        split_tunes(TUNE + "CDEF|\n", "a.abc")
    assert "COMPOSER_LIMITS" in caught.value.hint


def test_a_long_line_of_words_is_not_taken_apart(monkeypatch):
    monkeypatch.setattr(lexer, "tokens", None)
    assert not is_music("|C" * lexer.MAX_LINE_CHARACTERS)
