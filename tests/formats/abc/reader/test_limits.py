"""Too long texts and impossible numbers are refused, and a tune among others costs only itself."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from abc_diagnostics import check_tune

from composer.api import ReadError, RejectedPiece, Source
from composer.formats.abc.dialect.normalize import normalize
from composer.formats.abc.file import read_pieces
from composer.formats.abc.reader import lexer
from composer.formats.abc.reader.lexer import is_music, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import ImpossibleLength, read_score, read_tune
from composer.formats.abc.reader.tokens import TOO_LONG
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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("M:4/4\nK:C\nC{n}|", TOO_LONG),
        ("M:4/4\nK:C\nC/{n}|", "impossible length"),
        ("M:4/4\nK:C\n[CE]{n}|", TOO_LONG),
        ("M:4/4\nK:C\nCZ{n}|", TOO_LONG),
        ("M:4/4\nK:C\nC(9:{n}C|", "unknown character"),
        ("M:4/4\nK:C\n|:C8|[{n}C8:|", "unknown character"),
        ("M:4/4\nK:C\n|:C8|{n}C8:|", "unknown character"),
        ("M:{n}/4\nK:C\nC", "unknown meter"),
        ("M:4/{n}\nK:C\nC", "unknown meter"),
        ("L:1/{n}\nK:C\nC", "unknown unit length"),
        ("L:{n}/1\nK:C\nC", "unknown unit length"),
        ("Q:{n}\nM:4/4\nK:C\nC8|", None),
        ("Q:1/4={n}\nM:4/4\nK:C\nC8|", None),
        ("Q:{n}/{n}=90\nM:4/4\nK:C\nC8|", None),
        ("M:4/4\nK:C octave={n}\nC8|", None),
        ("M:4/4\nK:C\n%%MIDI transpose {n}\nC8|", None),
    ],
)
def test_numbers_with_thousands_of_digits_are_diagnosed(text, kind):
    (tune,) = split_tunes("X:1\n" + text.replace("{n}", 5000 * "9") + "\n")
    with nullcontext() if kind != TOO_LONG else pytest.raises(ImpossibleLength):
        assert read_tune(tune).notes
    kinds = [each.kind for each in check_tune(tune)]
    assert len(kinds) < 10
    assert kind in kinds or (kind is None and not kinds)
    normalize(tune)


@pytest.mark.parametrize(
    ("body", "reason", "column"),
    [
        ("E | C99999999 D|", "`C99999999` is longer than 64 whole notes", 5),
        ("E z9999|", "`z9999` is longer than 64 whole notes", 3),
        ("[CE]9999|", "`]9999` is longer than 64 whole notes", 4),
        ("E4|Z1000|", "the rest `Z1000` is longer than 999 bars", 4),
    ],
)
def test_a_length_that_no_note_has_is_an_error_of_its_tune(body, reason, column):
    """A guess would fill dozens of bars."""
    text = f"X:1\nM:4/4\nL:1/4\nK:C\n{body}\n"
    with pytest.raises(ReadError, match=f"{re.escape(reason)}, at line 5, column {column}"):
        read_score(text)
    longest = text.replace(body, "C256|Z999|").replace("X:1", "X:2")
    (_, rejected), (_, score) = read_pieces(Source(Path("a.abc"), "a.abc", data=f"{text}\n{longest}".encode()))
    assert rejected[:3] == (reason, "a.abc: tune 1", f"line 5, column {column}")
    assert score.duration == 256
    assert [problem.kind for problem in check_tune(split_tunes(text)[0])].count(TOO_LONG) == 1
    assert normalize(split_tunes(text)[0]).reason == "impossible note length"
