"""Generated texts have no more spaces and blank lines in a row than the training data."""

import pytest

from composer.api import GenerationContext, Piece
from composer_text import FIRST, Text
from composer_text.layout import Layout, LayoutConstraint, LayoutCounter


def layout_of(*texts):
    counter = LayoutCounter()
    for text in texts:
        counter.add(text)
    return counter.layout()


def test_the_longest_runs():
    assert layout_of("One\n   two  three\n\n four") == Layout(indent=3, gap=2, line_feeds=2)
    assert layout_of("  one two", "three") == Layout(indent=2, gap=1, line_feeds=0)
    assert layout_of("one\n \n\t\ntwo\u00a0\tthree") == Layout(indent=0, gap=2, line_feeds=3), "spaces of any kind"


def test_one_piece_of_many_is_no_layout():
    many = ["  one\ntwo three"] * 150
    assert layout_of(*many, "one" + 40 * " " + "two") == Layout(2, 40, 1), "one of 151"
    assert layout_of(*many * 2, "one" + 40 * " " + "two") == Layout(2, 1, 1), "one of 301"
    assert layout_of(*many * 2, *["one     two"] * 5) == Layout(2, 5, 1)
    assert layout_of(*["one two"] * 300, " " * 9 + "three") == Layout(9, 1, 0), "of those that have an indent"


LAYOUT = Layout(3, 1, 2)


def refused(text, layout=LAYOUT):
    representation = Text()
    representation.restore({"characters": "\n ab", "layout": layout._asdict()})
    primer = representation.prime(Piece(text))
    rule = representation.constraint(context=GenerationContext(length=10_000))
    mask = rule.allowed(rule.start(primer))
    return "".join(each for each in "\n ab" if not mask >> representation.ids[each] & 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ""),
        ("a ", " "),
        ("a\n  ", ""),
        ("a\n   ", " "),
        ("a\n\n", "\n"),
        ("a\n \n", "\n"),
        ("a\n\n   ", "\n "),
        ("a\n\n   b", ""),
        ("a          ", " "),
        ("a\n\n\n\n\n", "\n"),
        ("a" + 300 * " ", " "),
        ("a" + 300 * "\n", "\n"),
    ],
)
def test_what_does_not_follow(text, expected):
    assert refused(text) == expected


def test_no_space_at_all_in_lines():
    assert refused("a", Layout(3, 0, 2)) == " "
    assert refused("a", Layout(3, 1, 0)) == "\n"
    assert refused("\n", Layout(0, 1, 2)) == " "


def test_something_is_always_left():
    text = Text()
    text.restore({"characters": "\n ", "layout": {"indent": 0, "gap": 0, "line_feeds": 0}})
    rule = text.constraint()
    assert rule.allowed(rule.start(())) == 0b1100


def test_the_state_is_kept_and_older_models_have_no_limits():
    text = Text()
    text.fit([Piece("a\n  b c")])
    again = Text()
    again.restore(text.state())
    assert again.layout == text.layout == Layout(2, 1, 1)
    again.restore({"characters": text.characters})
    assert again.layout is None
    assert again.state() == {"characters": text.characters}
    rule = again.constraint(context=GenerationContext(length=1000))
    space = again.ids[" "]
    assert rule.allowed(rule.start([FIRST, *[space] * 100])) >> space & 1


def test_longer_runs_than_a_state_holds_are_not_limited():
    text = Text()
    text.restore({"characters": "\n a", "layout": {"indent": 300, "gap": 1, "line_feeds": 1}})
    rule = text.constraint()
    assert rule.allowed(rule.start([text.ids[" "]] * 1000)) >> text.ids[" "] & 1
    assert isinstance(rule.inner, LayoutConstraint)
