"""Generated tunes have no loops, no redundant accidentals, and titles of known words."""

import random
import re
from itertools import pairwise

import pytest

from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.positions import PositionConstraint, feature_sizes
from composer.formats.abc.grammar.style import StyleConstraint

CHARACTERS = sorted(set("T:R:M:L:K: reelABCDEFGabcdefgmrt'^=_|:]\n12345678/z-The Merry Miller"))
HEADER = "M:2/4\nL:1/16\nK:G\n"
IDS = {character: number for number, character in enumerate(CHARACTERS, 1)}


def steps(text):
    return [IDS[character] for character in text]


def style(limit=2, titles=()):
    automaton = Automaton(CHARACTERS)
    return StyleConstraint(automaton, automaton.vocabulary, limit, titles)


def allowed(rule, text):
    """Return the characters that may follow a text."""
    mask = rule.allowed(rule.start(steps(text)))
    return {character for character, number in IDS.items() if mask >> number & 1}


@pytest.mark.parametrize(
    ("bars", "limit", "refused"),
    [
        ("gabc g4|gabc g4|", 2, "g"),
        ("gabc g4|", 2, ""),
        ("gabc g4|", 1, "g"),
        ("gabc g4|gabc g4|", 3, ""),
        ("gabc g4|dcBA g4|gabc g4|dcBA g4|\ngabc g4|", 2, "d"),
        ("gabc g4|dcBA g4|gabc g4|dcBA g4|\n", 2, ""),
        ("gabc g4|gabc g4|abcd g4|", 2, ""),
        ("gabc g4|gabd g4|", 2, ""),
    ],
)
def test_bars_of_a_cycle_do_not_come_again(bars, limit, refused):
    whole = allowed(style(limit=1000), HEADER + bars)
    assert whole - allowed(style(limit), HEADER + bars) == set(refused)


def test_a_tied_note_leaves_the_choice_to_the_next_one():
    tied = HEADER + "a4 a4-|a4 g4|a4 a4-|"  # only the tied note may follow, as in the bar before the last
    assert allowed(style(1), tied) == {"a"}
    assert "4" not in allowed(style(1), tied + "a")
    assert {"2", "8"} <= allowed(style(1), tied + "a")


def test_repeats_and_line_breaks_are_not_part_of_bars():
    assert "g" not in allowed(style(), HEADER + "|:gabc g4|gabc g4:|\n|:")
    assert "g" in allowed(style(), HEADER + "|:gabc g4|dcBA g4:|\n|:")


@pytest.mark.parametrize(
    ("start", "refused", "kept"),
    [
        ("^", "fF", "gGcC"),
        ("=", "gGaAbBcCdDeE", "fF"),
        ("=fg^", "", "fF"),
        ("=f=f", "", ""),
        ("=fg=", "f", "F"),
        ("^cd^", "cfF", "Cg"),
        ("^cdef g4|^", "fF", "cC"),
    ],
)
def test_accidentals_repeat_neither_the_key_nor_the_bar(start, refused, kept):
    found = allowed(style(), HEADER + start)
    assert not found & set(refused)
    assert found >= set(kept)


def test_an_accidental_that_no_note_needs_is_not_begun():
    c_major = HEADER.replace("K:G", "K:C")
    assert "=" not in allowed(style(), c_major)
    assert "=" in allowed(style(), HEADER)
    assert "=" in allowed(style(), c_major + "^cd")


def test_primers_are_exempt():
    assert "g" in allowed(style(), HEADER + "^fgab g4|^fgab g4|^fgab g4|")


def test_titles_consist_of_known_words():
    rule = style(titles=["The Merry Miller", "Miller's Reel"])
    assert {each for each in allowed(rule, "T:") if each.isalpha()} == set("TtMmRr")
    assert "r" in allowed(rule, "T:Mer")
    assert not allowed(rule, "T:Mer") & {"\n", " "}
    assert {" ", "\n"} <= allowed(rule, "T:The")


@pytest.mark.parametrize("seed", range(5))
def test_walks_are_tunes_without_loops(seed):
    rule, plain, choice = style(1, ["The Merry Miller"]), Automaton(CHARACTERS), random.Random(seed).choice
    state, tune = rule.start(()), []
    for _ in range(2000):
        mask = rule.allowed(state)
        step = choice([number for number in range(1 + len(CHARACTERS)) if mask >> number & 1])
        if step == 0:
            break
        tune.append(step)
        state = rule.step(state, step)
    text = plain.text(tune)
    plain.start(tune)
    bars = [bar for bar in re.split(r"[|:\n\]]+", text.partition("K:")[2].partition("\n")[2]) if bar]
    assert len(bars) > 1
    assert all(bar[:1] != after[:1] for bar, after in pairwise(bars[:-1]) if "-" not in bar)


@pytest.mark.parametrize(
    "start", ["", "T:Mer", "T:The Merry ", HEADER, HEADER + "z8|z8|", HEADER + "gabc g4|gabc g4|g"]
)
def test_endings_follow_the_rules(start):
    rule = style(2, ["The Merry Miller"])
    state, ending = rule.start(steps(start)), rule.complete(rule.start(steps(start)))
    assert ending[-1] == 0
    assert len(ending) < 60
    for step in ending[:-1]:
        assert rule.allowed(state) >> step & 1
        state = rule.step(state, step)


def test_a_state_holds_all_that_it_needs():
    rule = style(1)
    state, other = (rule.start(steps(HEADER + bars)) for bars in ("gabc g4|", "dcBA g4|"))
    assert rule.allowed(state) ^ rule.allowed(other) == 1 << IDS["g"] | 1 << IDS["d"]


def test_position_features_are_those_of_the_inner_constraint():
    automaton = Automaton(CHARACTERS)
    positions = PositionConstraint(automaton, (4, 4), feature_sizes([(4, 4)]))
    rule = StyleConstraint(positions, automaton.vocabulary, 2)
    primer = steps(HEADER + "gabc g4|dc")
    assert rule.features(rule.start(primer)) == positions.features(positions.start(primer))
