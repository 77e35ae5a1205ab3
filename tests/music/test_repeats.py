"""The order of bars, written as a row of signs: `|:` opens, `:|` ends a repeat, `1` to `3` are endings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.music.repeats import MAX_BARS, RepeatBar, playing_order


def bars(*signs):
    """`|:a:|` is a bar with both signs, `b2:|` one under the second ending; the letter only names it."""
    found = []
    for sign in signs:
        numbers = frozenset(int(letter) for letter in sign if letter.isdigit())
        found.append(RepeatBar(sign.startswith("|:"), 2 if sign.endswith(":|") else 1, numbers))
    return found


CASES = {
    "no repeat": (["a", "b"], "ab"),
    "from the beginning": (["a", "b:|", "c"], "ababc"),
    "from where it was opened": (["a", "|:b", "c:|", "d"], "abcbcd"),
    "from the end of the repeat before": (["a:|", "b:|"], "aabb"),
    "one bar": (["|:a:|"], "aa"),
    "two endings": (["|:a", "b1:|", "c2", "d"], "abacd"),
    "two endings of two bars": (["a", "b1", "c1:|", "d2", "e2", "f"], "abcadef"),
    "the last ending ends with a sign too": (["|:a", "b1:|", "c2:|", "d"], "abacd"),
    "a second ending that is not written": (["|:a", "b1:|", "c"], "abac"),
    "three times, the first two alike": (["|:a", "b12:|", "c3", "d"], "ababacd"),
    "two parts with endings": (["|:a", "b1:|", "c2", "|:d", "e1:|", "f2"], "abacdedf"),
    "a second part that nothing opens": (["|:a", "b1:|", "c2", "d", "e:|"], "abacdede"),
    "opened and never ended": (["a", "|:b", "c"], "abc"),
    "opened within what is open": (["|:a", "|:b", "c:|", "d:|"], "abcbcdd"),
    "an ending alone": (["a", "b2", "c"], "ac"),
    "nothing": ([], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_bars_are_played_in_order(case):
    signs, played = CASES[case]
    letters = [next(letter for letter in sign if letter.isalpha()) for sign in signs]
    assert "".join(letters[at] for at in playing_order(bars(*signs))) == played


def test_what_ends_here_may_be_played_more_than_twice():
    assert playing_order([RepeatBar(), RepeatBar(times=3)]) == [0, 1, 0, 1, 0, 1]


def test_too_much_is_played_once():
    assert playing_order([RepeatBar(times=16)] * 1000) == list(range(1000))


@given(st.lists(st.builds(RepeatBar, st.booleans(), st.integers(1, 16), st.frozensets(st.integers(1, 9), max_size=2))))
def test_it_always_ends(signs):
    order = playing_order(signs)
    assert len(order) <= max(MAX_BARS, len(signs))
    assert set(order) <= set(range(len(signs)))
