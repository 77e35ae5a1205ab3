"""Controls that contradict each other, the model or the primer are named in the error."""

from __future__ import annotations

import re

import pytest

from composer.api import Unsatisfiable


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        ({"rhythm": "jig", "meter": "4/4"}, ["--meter 4/4 contradicts --rhythm jig: a jig is in 6/8"]),
        ({"rhythm": "hornpipe", "meter": "6/8"}, ["--meter 6/8", "--rhythm hornpipe", "2/4 or 4/4"]),
        ({"range": "C#4-C#4", "scale": "C major"}, ["--range C#4-C#4", "--scale C major", "no note"]),
        ({"key": "Am", "mode": "dorian"}, ["--key Am", "--mode dorian"]),
        ({"key": "G", "scale": "D blues"}, ["--key G", "--scale D blues"]),
        (
            {"bars": 8, "key": "C", "range": "C#4-C#4", "scale": "own"},
            ["--key C and --range C#4-C#4 contradict --scale own: no tune satisfies all of them"],
        ),
        ({"range": "1-2"}, ["the model lacks the characters for --range 1-2"]),
    ],
)
def test_error_names_the_contradicting_controls(controls, words, constrain):
    with pytest.raises(Unsatisfiable) as raised:
        constrain(controls)
    assert all(word in raised.value.message for word in words), raised.value.message
    assert "--bars" not in raised.value.message + raised.value.hint


def test_hint_leaves_out_one_of_the_controls(constrain):
    with pytest.raises(Unsatisfiable) as raised:
        constrain({"rhythm": "jig", "meter": "4/4"})
    assert raised.value.hint == "leave out --meter or --rhythm"


def test_hint_lists_the_values_that_the_model_can_write(constrain, characters):
    with pytest.raises(Unsatisfiable, match="the model lacks the characters for --meter 12/8") as raised:
        constrain({"meter": "12/8"}, characters.replace("2", ""))
    assert "6/8" in raised.value.hint
    with pytest.raises(Unsatisfiable) as raised:
        constrain({"range": "1-2"})
    assert raised.value.hint == "use --range D2-B7, or a part of it"


@pytest.mark.parametrize(
    ("controls", "primer", "words"),
    [
        ({"bars": 5, "meter": "6/8"}, "K:G\nG8|", "--meter 6/8 contradicts the primer, which is in 4/4"),
        ({"key": "Am"}, "K:G\nG8|", "--key Am contradicts the primer, which is in G"),
        ({"mode": "minor"}, "K:G\nG8|", "--mode minor contradicts the primer, which is in G major"),
        ({"scale": "D blues"}, "K:G\nG8|", "--scale D blues contradicts the primer, which is in G"),
        ({"rhythm": "jig"}, "R:reel\nK:G\nG8|", "--rhythm jig contradicts the primer, which is a reel"),
        ({"rhythm": "jig"}, "K:G\nG8|", "--rhythm jig contradicts the primer, which names no rhythm"),
        ({"bars": 1}, "K:G\nG8|A8|B8", "--bars 1 contradicts the primer at `A` after `G8|`"),
        ({"scale": "own", "bars": 9}, "K:G\nG4 =f4", "--scale own contradicts the primer at `f` after `G4 =`"),
        ({"range": "C5-C6"}, "K:G\nG8|", "--range C5-C6 contradicts the primer"),
        ({"key": "G"}, "K:G\nG9|", "invalid primer at `9` after `G`: "),
    ],
)
def test_error_names_the_control_that_the_primer_contradicts(controls, primer, words, constrain):
    with pytest.raises(Unsatisfiable, match=re.escape(words)):
        constrain(controls, primer=primer.replace("K:", "M:4/4\nL:1/8\nK:"))
