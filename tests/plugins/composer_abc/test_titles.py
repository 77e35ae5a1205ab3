"""Letters of titles that a model does not know."""

import pytest

from composer.api import EncodeError, Piece
from composer_abc import Abc
from composer_abc.titles import with_known_titles

TUNE = "T:{title}\nM:4/4\nL:1/8\nK:G\nGABc d2d2|G8|]\n"


@pytest.fixture
def fitted():
    """The representation, with the letters of one tune."""
    representation = Abc()
    representation.fit([Piece(TUNE.format(title="Cardas Night"))])
    return representation


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Cardas Night", "Cardas Night"),
        ("Čardáš", "Cardas"),
        ("NIGHT", "NiGhT"),
        ("\N{MUSICAL SYMBOL G CLEF} Night !", "Night"),
    ],
)
def test_a_title_in_known_letters(fitted, title, known):
    piece = Piece(TUNE.format(title=title), source="a tune")
    assert fitted.decode(fitted.encode(piece)).content == TUNE.format(title=known)
    unknown = sum(character not in fitted.ids for character in title)
    assert fitted.losses(piece).get("letters in titles replaced", 0) == unknown


def test_a_title_without_any_known_letter_is_left_out(fitted):
    assert with_known_titles(TUNE.format(title="\N{HIRAGANA LETTER A}"), fitted.ids) == TUNE.partition("\n")[2]


def test_other_lines_must_be_known(fitted):
    with pytest.raises(EncodeError, match="not in the training data: '_'"):
        fitted.encode(Piece(TUNE.format(title="Night").replace("GA", "_GA")))
