"""Wishes that clash, with one another, the model or an opening, are refused by name."""

from __future__ import annotations

import re

import pytest

from composer.api import Unsatisfiable


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"rhythm": "jig", "meter": "4/4"}, ["--meter 4/4", "--rhythm jig", "a jig is in 6/8"]),
        ({"rhythm": "hornpipe", "meter": "6/8"}, ["--meter 6/8", "--rhythm hornpipe", "2/4 or 4/4"]),
        ({"range": "C#4-C#4", "scale": "C major"}, ["--range C#4-C#4", "--scale C major", "no note"]),
        ({"key": "Am", "mode": "dorian"}, ["--key Am", "--mode dorian"]),
        ({"key": "G", "scale": "D blues"}, ["--key G", "--scale D blues"]),
        ({"bars": 8, "key": "C", "range": "C#4-C#4", "scale": "own"}, ["--key C", "--range C#4-C#4", "--scale own"]),
        ({"range": "1-2"}, ["--range 1-2", "the model has no symbols"]),
    ],
)
def test_what_clashes_is_named(wishes, words, asked):
    with pytest.raises(Unsatisfiable) as raised:
        asked(wishes)
    assert all(word in raised.value.message for word in words), raised.value.message
    assert "--bars" not in raised.value.message


def test_what_the_model_cannot_spell_is_named_with_what_it_can(asked, characters):
    with pytest.raises(Unsatisfiable, match="--meter 12/8 cannot be had") as raised:
        asked({"meter": "12/8"}, characters.replace("2", ""))
    assert "6/8" in raised.value.hint


@pytest.mark.parametrize(
    ("wishes", "primer", "words"),
    [
        (
            {"bars": 5, "meter": "6/8"},
            "M:4/4\nL:1/8\nK:G\nG8|",
            "--meter 6/8 and the opening clash: the opening is in 4/4",
        ),
        ({"key": "Am"}, "M:4/4\nL:1/8\nK:G\nG8|", "--key Am and the opening clash: the opening is in G"),
        ({"mode": "minor"}, "M:4/4\nL:1/8\nK:G\nG8|", "--mode minor and the opening clash: the opening is in G major"),
        ({"scale": "D blues"}, "M:4/4\nL:1/8\nK:G\nG8|", "--scale D blues and the opening clash: the opening is in G"),
        (
            {"rhythm": "jig"},
            "R:reel\nM:4/4\nL:1/8\nK:G\nG8|",
            "--rhythm jig and the opening clash: the opening is a reel",
        ),
        ({"rhythm": "jig"}, "M:4/4\nL:1/8\nK:G\nG8|", "the opening clash: the opening names no rhythm"),
        ({"bars": 1}, "M:4/4\nL:1/8\nK:G\nG8|A8|B8", "--bars 1 and the opening clash with `A` after `G8|`"),
        ({"scale": "own", "bars": 9}, "M:4/4\nL:1/8\nK:G\nG4 =f4", "--scale own and the opening clash"),
        ({"range": "C5-C6"}, "M:4/4\nL:1/8\nK:G\nG8|", "--range C5-C6 and the opening clash"),
        ({"key": "G"}, "M:4/4\nL:1/8\nK:G\nG9|", "the opening leaves the dialect with `9` after `G`: "),
    ],
)
def test_an_opening_that_contradicts(wishes, primer, words, asked):
    with pytest.raises(Unsatisfiable, match=re.escape(words)):
        asked(wishes, primer=primer)
