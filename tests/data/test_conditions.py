"""Conditions collected from the labels of pieces."""

import itertools

import pytest

from composer.api import OptionError, Piece
from composer.data.conditions import LabeledPieces, MissingLabel

PIECES = [Piece("a", labels={"meter": "6/8", "mode": "minor"}), Piece("b", labels={"meter": "3/4"}), Piece("c")]


class Counting(list):
    """A list that counts its iterations."""

    iterations = 0

    def __iter__(self):
        self.iterations += 1
        return super().__iter__()


def test_values_of_the_requested_labels_without_another_pass():
    pieces = Counting(PIECES)
    labeled = LabeledPieces(pieces, ["meter"])
    assert list(labeled) == PIECES
    assert labeled.conditions() == {"meter": ("3/4", "6/8")}
    assert pieces.iterations == 1


@pytest.mark.parametrize("taken", [0, 1])
def test_pieces_that_were_not_all_read_are_read_once_more(taken):
    labeled = LabeledPieces(PIECES, ["meter"])
    assert list(itertools.islice(labeled, taken)) == PIECES[:taken]
    assert labeled.conditions() == {"meter": ("3/4", "6/8")}


def test_a_second_pass_counts_nothing_twice():
    labeled = LabeledPieces([Piece("a", labels={"meter": "6/8"})], ["meter"])
    assert list(labeled) == list(labeled)
    assert labeled.conditions(varying=True) == {}


def test_labels_that_differ():
    names = ["meter", "mode", "rhythm"]
    assert LabeledPieces(PIECES[:2], names).conditions(varying=True) == {"meter": ("3/4", "6/8"), "mode": ("minor",)}
    assert LabeledPieces(PIECES[:1], names).conditions(varying=True) == {}


def test_unknown_label_lists_the_available_ones():
    with pytest.raises(MissingLabel, match="no piece has the label `rhythm`") as caught:
        LabeledPieces(PIECES, ["rhythm"]).conditions()
    assert (caught.value.name, caught.value.hint) == ("rhythm", "choose from meter, mode")


def test_too_many_or_too_long_values():
    with pytest.raises(OptionError, match="the label `title` has 5,000 values"):
        LabeledPieces([Piece("a", labels={"title": str(number)}) for number in range(5000)], ["title"]).conditions()
    with pytest.raises(OptionError, match="of up to 500 characters"):
        LabeledPieces([Piece("a", labels={"title": "a" * 500})], ["title"]).conditions(varying=False)
