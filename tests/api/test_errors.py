"""Hints for unknown names."""

import pytest

from composer.api.errors import suggest


@pytest.mark.parametrize(
    ("value", "matches", "hint"),
    [
        ("lsmt", 1, "did you mean `lstm`?"),
        ("atn-lstm", 2, "did you mean `attn-lstm` or `lstm`?"),
        ("x", 1, "choose from lstm, attn-lstm, rnnrbm"),
    ],
)
def test_suggest(value, matches, hint):
    assert suggest(value, ("lstm", "attn-lstm", "rnnrbm"), matches, cutoff=0.5) == hint


def test_suggest_several():
    assert suggest("lst", ("lstm", "lsts", "lste"), 3) == "did you mean `lsts`, `lstm` or `lste`?"


def test_suggest_without_names():
    assert suggest("x", ()) == "there are none to choose from"
