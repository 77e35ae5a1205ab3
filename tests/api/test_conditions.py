"""Conditions collected from the labels of pieces."""

import pytest

from composer.api import ConditionVocabulary, OptionError, Piece

PIECES = [Piece("a", labels={"meter": "6/8", "mode": "minor"}), Piece("b", labels={"meter": "3/4"}), Piece("c")]


def test_values_of_the_requested_labels():
    vocabulary = ConditionVocabulary(("meter",))
    assert list(vocabulary.collect(iter(PIECES))) == PIECES
    assert vocabulary.conditions() == {"meter": ("3/4", "6/8")}


def test_unknown_label_lists_the_available_ones():
    vocabulary = ConditionVocabulary(("rhythm",))
    list(vocabulary.collect(PIECES))
    with pytest.raises(OptionError, match="no piece has the label `rhythm`") as caught:
        vocabulary.conditions()
    assert caught.value.hint == "choose from meter, mode"


def test_too_many_values():
    vocabulary = ConditionVocabulary(("title",))
    list(vocabulary.collect(Piece("a", labels={"title": str(number)}) for number in range(5000)))
    with pytest.raises(OptionError, match="5,000 values"):
        vocabulary.conditions()
