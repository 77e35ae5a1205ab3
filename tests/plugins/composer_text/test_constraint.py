"""Where generated texts end."""

import pytest

from composer_text.constraint import TextConstraint

END, LINE_FEED, LETTER, SPACE = 0, 2, 3, 4
MORE = {LINE_FEED, LETTER, SPACE}


def allowed_after(text, length, primer=""):
    constraint = TextConstraint(5, END, 2, LINE_FEED, SPACE, length)
    ids = {"\n": LINE_FEED, "a": LETTER, " ": SPACE}
    state = constraint.start([ids[each] for each in primer])
    for character in text:
        state = constraint.step(state, ids[character])
    return {step for step in range(5) if constraint.allowed(state) >> step & 1}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", MORE),
        ("a" * 100, {END, *MORE}),
        ("a" * 598 + "\n\n", {END, *MORE}),
        ("a" * 599 + "\n\n", {END}),
        ("a" * 700 + "\n\n\n", {END}),
        ("a" * 900 + "\n", {END, *MORE}),
        ("a" * 920 + "\n", {END}),
        ("a" * 980 + " ", {END}),
        ("a" * 979 + " ", {END, *MORE}),
        ("a" * 999, {END, *MORE}),
    ],
)
def test_a_text_ends_after_a_stanza_a_line_or_a_word(text, allowed):
    assert allowed_after(text, 1001) == allowed


def test_a_short_text_is_not_cut_to_its_title():
    assert allowed_after("aa\n\n", 20) == {END, *MORE}


def test_the_end_of_a_primer_is_not_that_of_the_piece():
    assert END in allowed_after("", 20, primer="a" * 16 + "\n\n")
    assert LETTER in allowed_after("", 20, primer="a" * 16 + "\n\n")
