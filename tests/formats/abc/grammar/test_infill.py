"""Infill keeps bars character for character, and controls that they contradict are errors."""

from __future__ import annotations

import random
import re

import pytest

from composer.api import Unsatisfiable
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.infill import bars_of
from composer.formats.abc.reader.score import read_score
from composer.music.bar_ranges import parse_bar_ranges
from composer.music.bars import bars

TUNES = {
    "pickup": "R:reel\nM:4/4\nL:1/8\nK:G\n|:D2|G2BG DGBG|A2cA FAcA|B4- B2d2|g6:|\n|:ga|b8-|b2ag f2ed|c2BA GFED|G6:|\n",
    "endings": "M:3/4\nL:1/8\nK:Dm\n|:D2 F2 A2|d6|[1e2 c2 A2|A6:|\n[2f2 e2 d2|d6||\n[DFA]6-|[DFA]6|d6-|d6|]\n",
    "swung": "R:hornpipe\nM:4/4\nL:1/8\nK:D\n(3ABc|d>fe>d c>de>c|d2(3fed A2F2|G4 G4|A6||\n(3ABc|d8|e8|f8|d8|]\n",
    "chordal": "R:hornpipe\nM:4/4\nL:1/8\nK:D\nd4 e4|[FAd]8|d4 e4|d8|]\n",
}


@pytest.mark.parametrize("name", TUNES)
@pytest.mark.parametrize("kept", ["1", "2-3", "3,1", "1-3"])
def test_kept_bars_do_not_change(name, kept, constrain, walk, characters):
    tune, rng = TUNES[name], random.Random(name + kept)
    assert validate(tune) == []
    plain, stay = Automaton(characters), parse_bar_ranges(kept)
    constraint = constrain({}, tune=tune, keep_bars=kept)
    assert accepts(constraint, tune, characters)
    before = bars_of(tune, plain)
    for _ in range(8):
        text = walk(constraint, rng, rng.randrange(30, 300))
        assert validate(text) == []
        after = bars_of(text, plain)
        assert frame(text, after) == frame(tune, before)
        changed = {
            a.number for a, b in zip(after, before, strict=True) if text[a.start : a.end] != tune[b.start : b.end]
        }
        assert not any(number == 0 or number in stay for number in changed)


def frame(text, bars):
    """Return all of a tune that is not inside its bars."""
    edges = [0, *(edge for bar in bars for edge in (bar.start, bar.end)), len(text)]
    return "~".join(text[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))


def accepts(constraint, text, characters):
    state = 0
    for character in text:
        step = 1 + characters.index(character)
        if not constraint.allowed(state) >> step & 1:
            return False
        state = constraint.step(state, step)
    return bool(constraint.allowed(state) & 1)


def test_bars_are_numbered_as_written_without_pickups(characters):
    rules = Automaton(characters)
    numbers = {name: [bar.number for bar in bars_of(tune, rules)] for name, tune in TUNES.items()}
    assert numbers["pickup"] == [0, 1, 2, 3, 4, 0, 5, 6, 7, 8]
    assert numbers["endings"] == list(range(1, 11))


@pytest.mark.parametrize("name", TUNES)
def test_shown_bars_have_the_same_numbers(name, characters):
    shown = [bar.written for bar in bars(read_score(f"X:1\nT:Any\n{TUNES[name]}"))]
    assert {*shown, 0} == {bar.number for bar in bars_of(TUNES[name], Automaton(characters))} | {0}
    if name == "pickup":
        assert shown == [0, *range(1, 5), *range(1, 5), *range(5, 9), *range(5, 9)]
    elif name == "endings":
        assert shown == [1, 2, 3, 4, 1, 2, *range(5, 11)]


def test_a_shown_bar_has_a_number_of_the_tune_even_if_its_bars_are_irregular():
    irregular = "X:1\nM:4/4\nL:1/8\nK:G\n|:D2|G8|[1A6:|[2A8||\n|:B2|d8|e6:|\n"
    score = read_score(irregular)
    assert [bar.written for bar in bars(score)] == [0, 1, 2, 1, 3, 3, 4, 5, 4]


def test_kept_bars_may_use_any_spelling(constrain, characters):
    tune = "M:4/4\nL:1/8\nK:C\n|:^A4 ^B4|c8|d8|c8:|\n"
    constraint = constrain({"range": "C4-C6"}, tune=tune)
    assert accepts(constraint, tune, characters)


def test_rhythm_may_be_in_another_meter_if_the_tune_names_it(constrain):
    assert constrain({"rhythm": "reel"}, tune=TUNES["pickup"])
    tune = TUNES["pickup"].replace("4/4", "2/4").replace("1/8", "1/16")
    assert validate(tune) == []
    assert constrain({"meter": "2/4", "rhythm": "reel"}, tune=tune)


@pytest.mark.parametrize(
    ("controls", "kept", "words"),
    [
        ({}, "9", "no bar 9"),
        ({}, "1-8", "all 8 bars"),
        ({"bars": 5}, "1", "--bars 5 contradicts --keep-bars 1: the tune has 8 bars"),
        ({"key": "Am"}, "1", "--key Am contradicts --keep-bars 1: the tune is in G"),
        ({"meter": "6/8"}, "1", "--meter 6/8 contradicts --keep-bars 1: the tune is in 4/4"),
        ({"rhythm": "jig"}, "1", "--rhythm jig contradicts --keep-bars 1: the tune is a reel"),
        ({"range": "D4-A5"}, "1,5", "--range D4-A5 contradicts --keep-bars 1,5: bar 5 is kept"),
        ({"range": "F4-C7"}, "1", "--range F4-C7 contradicts --keep-bars 1: the pickup is kept but does not fit"),
    ],
)
def test_error_names_the_control_that_kept_bars_contradict(controls, kept, words, constrain):
    with pytest.raises(Unsatisfiable, match=re.escape(words)) as raised:
        constrain(controls, tune=TUNES["pickup"], keep_bars=kept)
    assert raised.value.hint
