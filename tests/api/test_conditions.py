"""Labels that become conditions."""

import pytest

from composer.api import ConditionVocabulary, OptionError, Piece

PIECES = [Piece("a", labels={"meter": "6/8", "mode": "minor"}), Piece("b", labels={"meter": "3/4"}), Piece("c")]


def test_the_values_of_the_labels_asked_for():
    labels = ConditionVocabulary(("meter",))
    assert list(labels.collect(iter(PIECES))) == PIECES
    assert labels.conditions() == {"meter": ("3/4", "6/8")}


def test_a_label_that_no_piece_has_lists_those_there_are():
    labels = ConditionVocabulary(("rhythm",))
    list(labels.collect(PIECES))
    with pytest.raises(OptionError, match="`rhythm` cannot be a condition") as caught:
        labels.conditions()
    assert caught.value.hint == "they say meter, mode"


def test_too_many_values():
    labels = ConditionVocabulary(("title",))
    list(labels.collect(Piece("a", labels={"title": str(number)}) for number in range(5000)))
    with pytest.raises(OptionError, match="5,000 values"):
        labels.conditions()
