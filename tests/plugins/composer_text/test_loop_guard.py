"""Texts do not repeat a passage of words too often in a row."""

import numpy as np
import pytest

from composer.api import GenerationContext, Piece
from composer.api.testing.constraints import check_controls
from composer_text import FIRST, Text, TextControls
from composer_text.constraint import TextConstraint
from composer_text.loop_guard import LoopGuard

CHARACTERS = "\n ',.12ABCabcno"


def refused(text, limit=2, characters=CHARACTERS):
    """Return the characters that may not follow."""
    guard = LoopGuard(TextConstraint(99, 0, FIRST, 2, 3, 1000), characters, FIRST, limit)
    mask = guard.allowed(guard.start([FIRST + characters.index(each) for each in text]))
    assert mask & 1 or not text
    return "".join(each for number, each in enumerate(characters, FIRST) if not mask >> number & 1)


def test_a_word_does_not_come_a_third_time():
    assert refused("ab ab ") == "Aa"
    assert refused("ab ab ab ", limit=3) == "Aa"
    assert refused("ab ab ", limit=3) == ""
    assert refused("ab ab a") == "", "the word has begun"
    assert refused("ab ab") == "", "it may end"
    assert refused("ab ac ") == ""
    assert refused("ab ", limit=1) == "Aa"


def test_a_passage_of_words_does_not_come_a_third_time():
    assert refused("a b a b a ") == "Bb"
    assert refused("a b a b ") == "", "its first word may"


def test_case_punctuation_and_lines_do_not_count():
    assert refused("Ab, ab.\n") == "Aa"
    assert refused("ab\n\nAB") == ""
    assert refused("a'b ab' ") == "Aa"


def test_a_long_line():
    line = "a b c a a b b c c ab ac bc ba ca cb no\n"
    assert len(line.split()) == 16
    assert refused(line + line + line[: -len("no\n")]) == "n"
    assert refused(line + line[:-1] + " a" + line[1 : -len("no\n")]) == "n"
    assert refused("c " + (line + line)[: -len("no\n")]) == "", "only the second time"


def test_numbers_at_the_start_of_lines_are_all_the_same():
    assert refused("1\n2\n") == "12"
    assert refused("  1\n 2\n  ") == "12"
    assert refused("12\n1\n") == "12"
    assert refused("1 a\n2 b\n") == ""
    assert refused("1 a\n2 a\n1 ") == "Aa"
    assert refused("a 1 2 ") == "", "within a line they differ"
    assert refused("a 1 1 ") == "1"
    assert refused("1\n2 ") == "", "within a line, where no line number can begin"


def test_what_is_left_may_repeat():
    assert refused("a a ", characters="\n a") == "a", "spaces are left"
    guard = LoopGuard(TextConstraint(99, 0, FIRST, None, None, 1000), "a.", FIRST, 1)
    assert guard.allowed(guard.start([FIRST])) >> FIRST & 1


def test_the_contract_holds():
    text = Text()
    text.fit([Piece("one, one, two\n\n  one\n1\n2\n")])
    for controls in (TextControls(), TextControls(repeat_limit=1), TextControls(repeat_limit=1000)):
        assert " steps from " in check_controls(text, [Piece("one one one\n")], controls)


def test_random_texts_have_no_loops():
    text, rng = Text(), np.random.default_rng(1)
    text.fit([Piece("a b c\nab\n")])
    constraint = text.constraint(context=GenerationContext(length=10**6))
    for _ in range(10):
        state, steps = constraint.start(()), []
        while len(steps) < 300:
            mask = constraint.allowed(state) & ~1
            steps.append(int(rng.choice([each for each in range(text.spec.size) if mask >> each & 1])))
            state = constraint.step(state, steps[-1])
        words = text.decode(steps).content.split()[:-1]
        for cycle in range(1, 17):
            for at in range(len(words) - 3 * cycle + 1):
                passage = words[at : at + cycle]
                assert words[at : at + 3 * cycle] != passage * 3


@pytest.mark.parametrize(("controls", "expected"), [(None, False), (TextControls(repeat_limit=3), True)])
def test_the_limit_and_the_rules_of_recorded_pieces(controls, expected):
    text = Text()
    text.fit([Piece("no no yes")])
    primer = tuple(text.prime(Piece("no no ")))
    constraint = text.constraint(controls, GenerationContext(primer=primer))
    assert bool(constraint.allowed(constraint.start(primer)) >> primer[0] & 1) is expected
    assert isinstance(text.constraint(None, GenerationContext(rules=1)), TextConstraint)
