"""Pieces that wait on the disk come back as they were."""

import pytest

from composer.api import Piece
from composer.data.spill import Spill


class Marked(Piece):
    """A piece of a class of its own."""


@pytest.fixture
def spill(tmp_path):
    spill = Spill(tmp_path / "pieces")
    yield spill
    spill.drop()


def test_pieces_come_back_by_number_as_often_as_they_are_asked_for(spill):
    pieces = [
        Piece((number, "x" * number), f"no. {number}", "a.txt", {"n": str(number)}, {"y": 1}) for number in range(9)
    ]
    for piece in pieces:
        spill.append(piece)
    spill.close()
    assert len(spill) == 9
    assert list(spill.pieces(range(9))) == pieces
    assert list(spill.pieces([7, 2, 2])) == [pieces[7], pieces[2], pieces[2]]
    both = zip(spill.pieces([0, 1]), spill.pieces([5, 6]), strict=True)
    assert list(both) == [(pieces[0], pieces[5]), (pieces[1], pieces[6])]


def test_a_piece_that_cannot_be_written_stays_in_memory(spill):
    odd = Piece(lambda: "odd")
    for piece in (Piece("a"), odd, Piece("b")):
        spill.append(piece)
    spill.close()
    first, second, third = spill.pieces(range(3))
    assert (first, third) == (Piece("a"), Piece("b"))
    assert second is odd


def test_a_piece_keeps_its_class(spill):
    spill.append(Marked("a"))
    spill.close()
    (piece,) = spill.pieces([0])
    assert type(piece) is Marked


def test_nothing_is_left_of_it(spill, tmp_path):
    spill.append(Piece("a"))
    spill.drop()
    assert not list(tmp_path.iterdir())
