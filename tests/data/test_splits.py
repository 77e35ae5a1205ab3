"""Splitting: stable when pieces come and go, no piece in two splits, or as the user's list says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError, Piece, ReadError
from composer.data.copies import moved_note
from composer.data.corpus import content_digest
from composer.data.splits import SPLITS, SplitSettings, _split_by_digest, moves_copies, split_pieces
from composer_text import Text

TEXT = Text()

contents = st.lists(st.text("abcdef", min_size=1, max_size=12), min_size=12, max_size=60, unique=True)


def pieces(texts):
    return [Piece(text, source=f"book.txt: word {number}") for number, text in enumerate(texts, 1)]


def by_content(splits):
    return {piece.content: split for split in SPLITS for piece in splits.pieces[split]}


@given(contents, contents)
def test_a_piece_stays_in_its_split_when_others_come(before, more):
    settings = SplitSettings(valid=0.3, test=0.3)
    first = split_pieces(settings, TEXT, pieces(before), {})
    later = split_pieces(settings, TEXT, pieces([*more, *reversed(before)]), {})
    if not first.notes and not later.notes:
        assert by_content(later).items() >= by_content(first).items()


@given(contents)
def test_another_share_for_testing_does_not_move_validation_pieces(texts):
    without, with_test = (
        split_pieces(SplitSettings(valid=0.4, test=share), TEXT, pieces(texts), {}) for share in (0.0, 0.3)
    )
    if not without.notes and not with_test.notes:
        assert without.pieces["valid"] == with_test.pieces["valid"]


@given(contents)
def test_every_piece_is_in_exactly_one_split(texts):
    splits = split_pieces(SplitSettings(valid=0.3, test=0.2), TEXT, pieces([*texts, *texts]), {})
    assert sorted(piece.content for split in SPLITS for piece in splits.pieces[split]) == sorted(texts)
    assert splits.duplicates == len(texts)


def test_shares_are_approximate():
    splits = split_pieces(SplitSettings(valid=0.2, test=0.1), TEXT, pieces([str(number) for number in range(2000)]), {})
    assert 340 < len(splits.pieces["valid"]) < 460
    assert 150 < len(splits.pieces["test"]) < 250


def test_too_few_pieces_are_all_for_training_with_a_note():
    splits = split_pieces(SplitSettings(), TEXT, pieces(["a", "b", "c"]), {})
    assert len(splits.pieces["train"]) == 3
    assert "only 3 pieces, too few" in splits.notes[0]
    assert not split_pieces(SplitSettings(valid=0), TEXT, pieces(["a", "b", "c"]), {}).notes


def test_files_named_for_validation_are_no_training_data():
    named = pieces(["b", "x"])
    splits = split_pieces(SplitSettings(), TEXT, pieces(["a", "b", "c"]), {"valid": named})
    assert by_content(splits) == {"a": "train", "c": "train", "b": "valid", "x": "valid"}
    assert splits.duplicates == 1
    with pytest.raises(ReadError, match="no training data: all pieces are in the --valid files"):
        split_pieces(SplitSettings(), TEXT, pieces(["b"]), {"valid": named})


def spaced(words, copies):
    """Return pieces with each word as often as it has copies, with more and more space after it."""
    times = zip(words, copies, strict=False)
    return pieces([f"{word}{' ' * number}rose" for word, count in times for number in range(1, count + 1)])


counts = st.lists(st.sampled_from([1, 1, 2, 4]), min_size=60, max_size=60)


@given(contents, counts, st.randoms(use_true_random=False))
def test_copies_are_in_one_split_whatever_their_order(texts, copies, random):
    every = spaced(texts, copies)
    shuffled = random.sample(every, len(every))
    splits, others = (split_pieces(SplitSettings(0.3, 0.3), TEXT, found) for found in (every, shuffled))
    where = {}
    for content, split in by_content(splits).items():
        where.setdefault(content.split()[0], set()).add(split)
    assert all(len(found) == 1 for found in where.values())
    assert by_content(others) == by_content(splits)
    assert (others.moved, others.notes, others.copies) == (splits.moved, splits.notes, 0)


@given(contents, counts)
def test_only_copies_move_and_they_move_to_training(texts, copies):
    every = spaced(texts, copies)
    splits = split_pieces(SplitSettings(0.3, 0.3), TEXT, every)
    alone = {p.content for p, count in zip(spaced(texts, [1] * 60), copies, strict=False) if count == 1}
    digests = {p.content: _split_by_digest(content_digest(p), {"valid": 0.3, "test": 0.3}) for p in every}
    moved = {content for content, split in by_content(splits).items() if split != digests[content]}
    if len(splits.notes) < 2 and "too few" not in "".join(splits.notes):
        assert not moved & alone
        assert {by_content(splits)[content] for content in moved} <= {"train"}
        assert splits.moved == len(moved)


@given(contents, counts)
def test_another_share_for_testing_does_not_move_copies_for_validation(texts, copies):
    every = spaced(texts, copies)
    without, with_test = (split_pieces(SplitSettings(0.4, share), TEXT, every) for share in (0.0, 0.3))
    if "too few" not in "".join([*without.notes, *with_test.notes]):
        assert without.pieces["valid"] == with_test.pieces["valid"]


def test_moved_copies_are_counted_in_a_note():
    texts = [str(number) for number in range(100, 400)]
    splits = split_pieces(SplitSettings(), TEXT, spaced(texts, [2] * 30 + [1] * 270))
    before = split_pieces(SplitSettings(), TEXT, pieces(texts))
    assert splits.moved > 1
    assert splits.notes == [
        f"{splits.moved} held-out pieces have the melody or text of a training piece; moved to training"
    ]
    assert not before.notes
    assert moved_note(1) == "1 held-out piece has the melody or text of a training piece; moved to training"


def test_copies_stay_as_in_an_earlier_training():
    texts = [str(number) for number in range(100, 400)]
    every = spaced(texts, [2] * 30 + [1] * 270)
    splits = split_pieces(SplitSettings(), TEXT, every)
    before = split_pieces(SplitSettings(), TEXT, every, move_copies=moves_copies({"pieces": {}}))
    assert (before.moved, before.copies, splits.copies) == (0, splits.moved, 0)
    digests = {p.content: _split_by_digest(content_digest(p), {"valid": 0.1}) for p in every}
    assert by_content(before) == digests != by_content(splits)
    assert moves_copies({"moved": 0})


def test_if_all_held_out_pieces_are_copies_all_are_for_training_with_a_note():
    splits = split_pieces(SplitSettings(valid=0.3), TEXT, spaced(["abc"], [40]))
    assert (len(splits.pieces["train"]), splits.pieces["valid"]) == (40, [])
    assert splits.moved > 0
    assert splits.notes[1] == (
        "too few other pieces to hold some out: training on all, so overfitting cannot be detected"
    )


def test_copies_in_named_files_stay_with_a_note():
    named = pieces(["a b", "x"])
    splits = split_pieces(SplitSettings(), TEXT, pieces(["a  b", "c", "d"]), {"valid": named})
    assert by_content(splits) == {"a  b": "train", "c": "train", "d": "train", "a b": "valid", "x": "valid"}
    assert (splits.moved, splits.copies) == (0, 1)
    assert splits.notes == [
        "1 held-out piece has the melody or text of a training piece, so the held-out loss is too low; the split is "
        "kept as given (`composer check FILE...` finds copies)"
    ]


@pytest.fixture
def listing(tmp_path):
    def write(text):
        path = tmp_path / "list.txt"
        path.write_text(text)
        return path

    return write


def test_a_list_names_pieces(listing):
    path = listing("# a comment\n\nvalid book.txt: word 2\ntest  book.txt: word 3\n")
    splits = split_pieces(SplitSettings(listing=path), TEXT, pieces(["a", "b", "c", "a"]), {})
    assert {split: [piece.content for piece in splits.pieces[split]] for split in SPLITS} == {
        "train": ["a", "a"],
        "valid": ["b"],
        "test": ["c"],
    }
    assert not splits.notes


@pytest.mark.parametrize("train", ["", "train book.txt: word 1\n"])
def test_copies_in_a_list_stay_with_a_note(listing, train):
    path = listing(f"{train}valid book.txt: word 2\ntest book.txt: word 3\ntest book.txt: word 4\n")
    splits = split_pieces(SplitSettings(listing=path), TEXT, pieces(["a b", "a  b", "c", "a b"]))
    assert {split: [piece.content for piece in splits.pieces[split]] for split in SPLITS} == {
        "train": ["a b"], "valid": ["a  b"], "test": ["c", "a b"],
    }  # fmt: skip
    assert (splits.moved, splits.copies) == (0, 2)
    assert [note[:63] for note in splits.notes] == ["2 held-out pieces have the melody or text of a training piece, "]


def test_copies_that_are_all_held_out_by_a_list_are_none(listing):
    path = listing("valid book.txt: word 2\ntest book.txt: word 1\n")
    splits = split_pieces(SplitSettings(listing=path), TEXT, pieces(["a b", "a  b", "c"]))
    assert (splits.moved, splits.copies, splits.notes) == (0, 0, [])


def test_a_list_names_files_with_as_much_of_their_path_as_is_needed(listing):
    every = [Piece(path, source=f"music/{path}: tune 1") for path in ("a/x.abc", "b/x.abc", "c/y.abc")]
    splits = split_pieces(SplitSettings(listing=listing("valid b/x.abc\ntest y.abc")), TEXT, every, {})
    assert by_content(splits) == {"a/x.abc": "train", "b/x.abc": "valid", "c/y.abc": "test"}


def test_a_list_that_holds_nothing_out_is_said(listing):
    splits = split_pieces(SplitSettings(listing=listing("test book.txt: word 1")), TEXT, pieces(["a", "b"]), {})
    assert splits.notes == ["list.txt holds out no piece for validation: overfitting cannot be detected"]


def test_a_list_without_names_is_an_error(listing):
    with pytest.raises(ReadError, match=r"the list .*list\.txt names no pieces"):
        split_pieces(SplitSettings(listing=listing("# none\n")), TEXT, pieces(["a"]), {})


def test_a_list_with_training_lines_skips_the_rest_with_a_note(listing):
    path = listing("train book.txt: word 1\nvalid book.txt: word 2\nvalid book.txt: word 9")
    splits = split_pieces(SplitSettings(listing=path), TEXT, pieces(["a", "b", "c"]), {})
    assert by_content(splits) == {"a": "train", "b": "valid"}
    assert "list.txt names pieces that were not found (1 of 3), such as `book.txt: word 9`" in splits.notes[0]
    assert "skipped 1 piece that is not in list.txt" in splits.notes[1]


@pytest.mark.parametrize("text", ["jigs.abc: tune 1", "validation jigs.abc", "valid"])
def test_an_invalid_line_of_a_list_is_an_error(listing, text):
    with pytest.raises(ReadError, match=r"invalid line 1 in list\.txt"):
        split_pieces(SplitSettings(listing=listing(text)), TEXT, pieces(["a"]), {})


def test_a_missing_list_is_an_error(tmp_path):
    with pytest.raises(ReadError, match="no such file or folder: the list"):
        split_pieces(SplitSettings(listing=tmp_path / "none.txt"), TEXT, pieces(["a"]), {})


@pytest.mark.parametrize("shares", [(1.0, 0.0), (0.5, 0.5), (-0.1, 0.0)])
def test_shares_without_training_data_are_an_error(shares):
    with pytest.raises(OptionError):
        SplitSettings(*shares)


@pytest.mark.parametrize(
    "settings",
    [SplitSettings(), SplitSettings(0.2, 0.1, ("/a/b.abc",), ("corpus:airs",)), SplitSettings(listing=Path("/l"))],
)
def test_settings_survive_json(settings):
    assert SplitSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_description_for_the_record_names_no_folder(tmp_path):
    assert SplitSettings(valid_files=(str(tmp_path / "v.abc"),)).describe() == {"valid": ["v.abc"], "test": 0.0}
    assert SplitSettings(listing=tmp_path / "l.txt").describe() == {"list": "l.txt"}
