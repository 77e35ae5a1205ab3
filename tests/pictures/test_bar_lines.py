"""Bar lines in pictures are those of the music as written, even where bars do not fill the meter."""

from dataclasses import replace

import pytest
from abc_reading import read_score

from composer.pictures.bar_lines import drawn_bars
from composer.pictures.page.tune_data import tune_data
from composer.pictures.roll_lines import lines

UNPAIRED = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|:C|DEFG|ABcd:|\n"
"""The pickup of the second part is not completed by a bar."""
PAIRED = "X:1\nM:4/4\nL:1/4\nK:C\n|:C|DEFG|ABc:|\n"


def starts(score):
    return [(bar.start, bar.written) for bar in drawn_bars(score)]


def test_a_pickup_that_no_bar_completes_moves_no_bar_line():
    assert starts(read_score(UNPAIRED)) == [(0, 1), (4, 2), (8, 0), (9, 3), (13, 4), (17, 0), (18, 3), (22, 4)]


def test_bars_that_fill_the_meter_together_are_one():
    assert starts(read_score(PAIRED)) == [(0, 0), (1, 1), (5, 2), (9, 1), (13, 2)]


def test_the_notation_counts_only_if_it_holds_the_music():
    score = read_score(UNPAIRED)
    shorter = score.notation._replace(bars=score.notation.bars[:3])
    assert starts(replace(score, notation=shorter)) == starts(replace(score, notation=None))


@pytest.mark.parametrize("music", [UNPAIRED, PAIRED])
def test_rolls_and_pages_have_the_same_bar_lines(music):
    score = read_score(music)
    assert [begin for line in lines(score) for begin in line.bars] == starts(score)
    assert [(start, number) for start, _, number, _ in tune_data(score, "")["bars"]] == starts(score)
