"""Where generated texts end."""

import pytest

from composer_text.constraint import TextConstraint

END, LINE_FEED, LETTER = 0, 2, 3


def allowed_after(text, length, primer=""):
    constraint = TextConstraint(4, END, 2, LINE_FEED, length)
    ids = {"\n": LINE_FEED, "a": LETTER}
    state = constraint.start([ids[each] for each in primer])
    for character in text:
        state = constraint.step(state, ids[character])
    return {step for step in range(4) if constraint.allowed(state) >> step & 1}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", {LINE_FEED, LETTER}),
        ("a" * 100, {END, LINE_FEED, LETTER}),
        ("a" * 598 + "\n\n", {END, LINE_FEED, LETTER}),
        ("a" * 599 + "\n\n", {END}),
        ("a" * 700 + "\n\n\n", {END}),
        ("a" * 900 + "\n", {END, LINE_FEED, LETTER}),
        ("a" * 920 + "\n", {END}),
        ("a" * 999, {END, LINE_FEED, LETTER}),
    ],
)
def test_a_text_ends_after_a_stanza_or_a_line(text, allowed):
    assert allowed_after(text, 1001) == allowed


def test_a_short_text_is_not_cut_to_its_title():
    assert allowed_after("aa\n\n", 20) == {END, LINE_FEED, LETTER}


def test_the_end_of_a_primer_is_not_that_of_the_piece():
    assert END in allowed_after("", 20, primer="a" * 16 + "\n\n")
    assert LETTER in allowed_after("", 20, primer="a" * 16 + "\n\n")
