"""Splitting by piece: stable when pieces come and go, never the same piece on both sides, or as the user lists it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError, Piece, ReadError
from composer.data.splits import PARTS, Split, divide

contents = st.lists(st.text("abcdef", min_size=1, max_size=12), min_size=12, max_size=60, unique=True)


def pieces(texts):
    return [Piece(text, source=f"book.txt: word {number}") for number, text in enumerate(texts, 1)]


def parts_of(parts):
    return {piece.content: part for part in PARTS for piece in parts.pieces[part]}


@given(contents, contents)
def test_a_piece_keeps_its_part_when_others_come(before, more):
    split = Split(valid=0.3, test=0.3)
    first = divide(split, pieces(before), {})
    later = divide(split, pieces([*more, *reversed(before)]), {})
    if not first.notes and not later.notes:
        assert parts_of(later).items() >= parts_of(first).items()


@given(contents)
def test_another_share_for_testing_does_not_move_validation_pieces(texts):
    without, with_test = (divide(Split(valid=0.4, test=share), pieces(texts), {}) for share in (0.0, 0.3))
    if not without.notes and not with_test.notes:
        assert without.pieces["valid"] == with_test.pieces["valid"]


@given(contents)
def test_every_piece_stands_in_exactly_one_part(texts):
    parts = divide(Split(valid=0.3, test=0.2), pieces([*texts, *texts]), {})
    assert sorted(piece.content for part in PARTS for piece in parts.pieces[part]) == sorted(texts)
    assert parts.duplicates == len(texts)


def test_shares_are_about_what_was_asked_for():
    parts = divide(Split(valid=0.2, test=0.1), pieces([str(number) for number in range(2000)]), {})
    assert 340 < len(parts.pieces["valid"]) < 460
    assert 150 < len(parts.pieces["test"]) < 250


def test_too_few_pieces_are_all_learnt_from_and_that_is_said():
    parts = divide(Split(), pieces(["a", "b", "c"]), {})
    assert len(parts.pieces["train"]) == 3
    assert "3 pieces are too few" in parts.notes[0]
    assert not divide(Split(valid=0), pieces(["a", "b", "c"]), {}).notes


def test_files_named_for_validation_are_not_learnt_from():
    named = pieces(["b", "x"])
    parts = divide(Split(), pieces(["a", "b", "c"]), {"valid": named})
    assert parts_of(parts) == {"a": "train", "c": "train", "b": "valid", "x": "valid"}
    assert parts.duplicates == 1
    with pytest.raises(ReadError, match="nothing is left to learn from"):
        divide(Split(), pieces(["b"]), {"valid": named})


@pytest.fixture
def listing(tmp_path):
    def write(text):
        path = tmp_path / "list.txt"
        path.write_text(text)
        return path

    return write


def test_a_list_names_pieces(listing):
    path = listing("# a comment\n\nvalid book.txt: word 2\ntest  book.txt: word 3\n")
    parts = divide(Split(listing=path), pieces(["a", "b", "c", "a"]), {})
    assert {part: [piece.content for piece in parts.pieces[part]] for part in PARTS} == {
        "train": ["a", "a"],
        "valid": ["b"],
        "test": ["c"],
    }
    assert not parts.notes


def test_a_list_names_files_with_as_much_of_their_path_as_is_needed(listing):
    every = [Piece(place, source=f"music/{place}: tune 1") for place in ("a/x.abc", "b/x.abc", "c/y.abc")]
    parts = divide(Split(listing=listing("valid b/x.abc\ntest y.abc")), every, {})
    assert parts_of(parts) == {"a/x.abc": "train", "b/x.abc": "valid", "c/y.abc": "test"}


def test_a_list_with_a_training_part_leaves_the_rest_out_and_says_so(listing):
    path = listing("train book.txt: word 1\nvalid book.txt: word 2\nvalid book.txt: word 9")
    parts = divide(Split(listing=path), pieces(["a", "b", "c"]), {})
    assert parts_of(parts) == {"a": "train", "b": "valid"}
    assert "list.txt names pieces that cannot be used (1 of 3), such as `book.txt: word 9`" in parts.notes[0]
    assert "1 piece is in no part" in parts.notes[1]


@pytest.mark.parametrize("text", ["jigs.abc: tune 1", "validation jigs.abc", "valid"])
def test_a_list_that_cannot_be_meant_is_refused_by_line(listing, text):
    with pytest.raises(ReadError, match=r"list\.txt, line 1"):
        divide(Split(listing=listing(text)), pieces(["a"]), {})


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="cannot read the list"):
        divide(Split(listing=tmp_path / "none.txt"), pieces(["a"]), {})


@pytest.mark.parametrize("shares", [(1.0, 0.0), (0.5, 0.5), (-0.1, 0.0)])
def test_shares_that_leave_nothing_are_refused(shares):
    with pytest.raises(OptionError):
        Split(*shares)


@pytest.mark.parametrize(
    "split", [Split(), Split(0.2, 0.1, ("/a/b.abc",), ("corpus:airs",)), Split(listing=Path("/l"))]
)
def test_a_split_survives_json(split):
    assert Split.from_json(json.loads(json.dumps(split.to_json()))) == split


def test_a_description_for_the_record_names_no_folder(tmp_path):
    assert Split(valid_files=(str(tmp_path / "v.abc"),)).describe() == {"valid": ["v.abc"], "test": 0.0}
    assert Split(listing=tmp_path / "l.txt").describe() == {"list": "l.txt"}
