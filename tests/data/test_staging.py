"""Pieces staged on disk are read back unchanged."""

import pytest

from composer.api import Piece
from composer.data.staging import PieceFile


class Marked(Piece):
    """A subclass."""


@pytest.fixture
def file(tmp_path):
    file = PieceFile(tmp_path / "pieces")
    yield file
    file.remove()


def test_pieces_are_read_by_number_repeatedly(file):
    pieces = [
        Piece((number, "x" * number), f"no. {number}", "a.txt", {"n": str(number)}, {"y": 1}) for number in range(9)
    ]
    for piece in pieces:
        file.append(piece)
    file.close()
    assert len(file) == 9
    assert list(file.pieces(range(9))) == pieces
    assert list(file.pieces([7, 2, 2])) == [pieces[7], pieces[2], pieces[2]]
    both = zip(file.pieces([0, 1]), file.pieces([5, 6]), strict=True)
    assert list(both) == [(pieces[0], pieces[5]), (pieces[1], pieces[6])]


def test_a_piece_that_is_not_data_stays_in_memory(file):
    odd = Piece(lambda: "odd")
    for piece in (Piece("a"), odd, Piece("b")):
        file.append(piece)
    file.close()
    first, second, third = file.pieces(range(3))
    assert (first, third) == (Piece("a"), Piece("b"))
    assert second is odd


def test_a_piece_keeps_its_class(file):
    file.append(Marked("a"))
    file.close()
    (piece,) = file.pieces([0])
    assert type(piece) is Marked


def test_remove_leaves_no_file(file, tmp_path):
    file.append(Piece("a"))
    file.remove()
    assert not list(tmp_path.iterdir())
