"""Playing order. Bars are written as strings: `|:` opens a repeat, `:|` ends it, `1` to `3` are endings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.music.repeats import MAX_BARS, RepeatBar, playing_order


def bars(*signs):
    """Parse bars: `|:a:|` has both signs, `b2:|` is under the second ending; the letter is a name."""
    found = []
    for sign in signs:
        numbers = frozenset(int(letter) for letter in sign if letter.isdigit())
        found.append(RepeatBar(sign.startswith("|:"), 2 if sign.endswith(":|") else 1, numbers))
    return found


CASES = {
    "no repeat": (["a", "b"], "ab"),
    "from the beginning": (["a", "b:|", "c"], "ababc"),
    "from the opening sign": (["a", "|:b", "c:|", "d"], "abcbcd"),
    "from the end of the repeat before": (["a:|", "b:|"], "aabb"),
    "one bar": (["|:a:|"], "aa"),
    "two endings": (["|:a", "b1:|", "c2", "d"], "abacd"),
    "two endings of two bars": (["a", "b1", "c1:|", "d2", "e2", "f"], "abcadef"),
    "the last ending has a repeat sign too": (["|:a", "b1:|", "c2:|", "d"], "abacd"),
    "a missing second ending": (["|:a", "b1:|", "c"], "abac"),
    "three times, the first two alike": (["|:a", "b12:|", "c3", "d"], "ababacd"),
    "two parts with endings": (["|:a", "b1:|", "c2", "|:d", "e1:|", "f2"], "abacdedf"),
    "a second part without an opening sign": (["|:a", "b1:|", "c2", "d", "e:|"], "abacdede"),
    "opened but never closed": (["a", "|:b", "c"], "abc"),
    "opened twice": (["|:a", "|:b", "c:|", "d:|"], "abcbcdd"),
    "an ending alone": (["a", "b2", "c"], "ac"),
    "nothing": ([], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_playing_order(case):
    signs, played = CASES[case]
    letters = [next(letter for letter in sign if letter.isalpha()) for sign in signs]
    assert "".join(letters[at] for at in playing_order(bars(*signs))) == played


def test_a_repeat_may_be_played_three_times():
    assert playing_order([RepeatBar(), RepeatBar(times=3)]) == [0, 1, 0, 1, 0, 1]


def test_too_many_bars_are_played_once():
    assert playing_order([RepeatBar(times=16)] * 1000) == list(range(1000))


@given(st.lists(st.builds(RepeatBar, st.booleans(), st.integers(1, 16), st.frozensets(st.integers(1, 9), max_size=2))))
def test_playing_order_is_bounded(signs):
    order = playing_order(signs)
    assert len(order) <= max(MAX_BARS, len(signs))
    assert set(order) <= set(range(len(signs)))
