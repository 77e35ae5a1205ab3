"""Texts in quotation marks: which are chord symbols, and what of them is lost."""

import pytest

from composer.formats.abc.dialect.normalize import normalize
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import read_score

HEADER = "X:1\nM:4/4\nL:1/4\nK:F\n"


@pytest.mark.parametrize(
    ("line", "chords", "losses"),
    [
        ('"F6/9"A4|"Bb7(#11)"B4|', [(0, 4, "F6/9"), (4, 4, "Bb7(#11)")], {}),
        ('"F"A4|"H7"B4|"F7x"c4|', [(0, 4, "F")], {"unknown chord symbols left out": 2}),
        ('"F"A4|"N.C."B4|"C7"c4|', [(0, 4, "F"), (8, 4, "C7")], {}),
        ('"F"A4|"^N.C."B4|', [(0, 4, "F")], {}),
        ('"F""dolce"A4|"tr"B4|', [(0, 8, "F")], {}),
    ],
)
def test_chord_symbols(line, chords, losses):
    score = read_score(f"{HEADER}{line}\n")
    assert [tuple(chord) for chord in score.chords] == chords
    assert score.losses == losses


def test_other_texts_are_annotations():
    tune = parse_tune(split_tunes(f'{HEADER}"^up"A"dolce"A"Fine"A"F"A|\n')[0])
    assert tune.unscored == {"annotations left out": 2}


def test_the_dialect_counts_chords_that_it_lacks():
    tune = normalize(split_tunes(f'{HEADER}"F6/9"A4|"Bb"B4|"H7"c4|"C7#9"c4|]\n')[0])
    assert tune.losses == {"unknown chord symbols left out": 1, "chord symbols left out": 2}
