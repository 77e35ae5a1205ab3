"""Keys with explicit accidentals, by the keys without that are most like them."""

import pytest

from composer.formats.abc.dialect.normalize import normalize
from composer.formats.abc.note_names import OTHER_ACCIDENTALS, plain_key
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.writer.score import write
from composer.music.keys import parse_key


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("D exp _e ^f _B", "Dphr"),
        ("D phr ^f", "Dphr"),
        ("Am ^G", "Am"),
        ("G ^c", "Glyd"),
        ("D =c", "Dmix"),
        ("D exp ^f ^c", "D"),
        ("^f ^c", "D"),
        ("A", "A"),
    ],
)
def test_plain_key(key, plain):
    signature = parse_key(key)
    assert signature is not None
    assert plain_key(signature).name == plain


@pytest.mark.parametrize(
    ("key", "written", "count"),
    [
        ("D exp _e ^f _B", "K:Dphr\nD2E2 ^F2G2|A2B2 c2d2|]", 1),
        ("D phr ^f", "K:Dphr\nD2E2 ^F2G2|A2B2 c2d2|]", 1),
        ("Am ^G", "K:Am\nD2E2 F2^G2|A2B2 c2d2|]", 1),
        ("D =c", "K:Dmix\nD2E2 F2G2|A2B2 c2d2|]", 0),
    ],
)
def test_signatures_with_other_accidentals(key, written, count):
    text = f"X:1\nM:4/4\nL:1/4\nK:{key}\nDEFG|ABcd|]\n"
    score = read_score(text)
    assert write(score) == f"X:1\nM:4/4\nL:1/8\n{written}\n"
    assert score.losses.get(OTHER_ACCIDENTALS, 0) == count


def test_each_signature_is_counted_once():
    changes = "K:Am ^G\nA4|\nK:Am ^G\nA4|\nK:C\nA4|\nK:Dm ^c\nA4|]"
    assert read_score(f"X:1\nM:4/4\nL:1/4\n{changes}\n").losses == {OTHER_ACCIDENTALS: 2}


def test_the_dialect_counts_its_signature():
    (tune,) = split_tunes("X:1\nM:4/4\nL:1/4\nK:Am ^G\nEFGA|]\n")
    found = normalize(tune)
    assert (found.text, found.losses) == ("M:4/4\nL:1/8\nK:Am\nE2F2 ^G2A2|]\n", {OTHER_ACCIDENTALS: 1})
