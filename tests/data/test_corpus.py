"""Reading: what is left out is counted and named, and only a corpus without a piece is an error."""

from fractions import Fraction

import pytest

from composer.api import Note, Piece, ReadError, RejectedPiece
from composer.data import source_reader
from composer.data.corpus import Stream, identity, read


def test_what_is_refused_is_counted_by_reason_with_places(letters, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("one tw0 three 4our fi5e 6ix")
    corpus = read(letters, [str(path)])
    assert [piece.content for piece in corpus.pieces] == ["one", "three"]
    assert corpus.refused.counts == {"a word has a digit": 4}
    assert corpus.refused.places["a word has a digit"] == [
        f"{path}: word 2: tw0",
        f"{path}: word 4: 4our",
        f"{path}: word 5: fi5e",
    ]


def test_an_unreadable_file_among_good_ones_is_named_and_skipped(letters, tmp_path):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "void.txt").write_text("")
    corpus = read(letters, [str(tmp_path)])
    assert [piece.content for piece in corpus.pieces] == ["good"]
    assert len(corpus.unreadable) == 2
    assert "picture.txt is not a text file" in corpus.unreadable[0]


def test_a_reader_that_breaks_on_one_file_does_not_lose_the_others(letters, tmp_path, monkeypatch):
    (tmp_path / "1.txt").write_text("one")
    (tmp_path / "2.txt").write_text("two")
    proper = type(letters).read

    def breaking(self, source):
        if source.path.name == "1.txt":
            raise ZeroDivisionError("a strange file")
        yield from proper(self, source)

    monkeypatch.setattr(type(letters), "read", breaking)
    corpus = read(letters, [str(tmp_path)])
    assert [piece.content for piece in corpus.pieces] == ["two"]
    assert "1.txt: ZeroDivisionError: a strange file" in corpus.unreadable[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\x89PNG\0", "is not a text file"), (b"0ne tw0", "2 refused because a word has a digit")],
)
def test_without_a_single_piece_it_is_an_error_that_says_why(letters, tmp_path, content, says):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=says) as caught:
        read(letters, [str(path)])
    assert caught.value.hint


def test_the_hint_of_the_file_that_cannot_be_read_is_passed_on(letters, tmp_path, monkeypatch):
    def pointing(self, source):
        raise ReadError("no column `lyric`", "did you mean `lyrics`?")

    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setattr(type(letters), "read", pointing)
    with pytest.raises(ReadError, match="no column `lyric`") as caught:
        read(letters, [str(tmp_path)])
    assert caught.value.hint == "did you mean `lyrics`?"


def test_where_all_is_refused_the_other_reasons_are_told_too(letters, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    refused = [RejectedPiece(f"the artist is `{artist}`", "a.txt") for artist in ("burns", "blake", "burns")]
    monkeypatch.setattr(type(letters), "read", lambda self, source: iter(refused))
    with pytest.raises(ReadError, match="2 refused because the artist is `burns`") as caught:
        read(letters, [str(tmp_path)])
    assert "1 because the artist is `blake`" in caught.value.hint


def test_a_folder_without_such_files_is_an_error_that_says_what_is_read(letters, tmp_path):
    with pytest.raises(ReadError, match="no piece") as caught:
        read(letters, [str(tmp_path)])
    assert ".txt" in caught.value.hint


def test_pieces_come_while_a_file_is_being_read(letters, tmp_path, monkeypatch):
    (tmp_path / "1.txt").write_text("one tw0 three four five")
    monkeypatch.setattr(source_reader, "SHEET", 2)
    told = []
    stream = Stream(letters, [str(tmp_path)], progress=lambda *counts: told.append(counts))
    pieces = iter(stream)
    assert next(pieces).content == "one"
    assert (stream.refused.total, told) == (0, [])
    assert [piece.content for piece in pieces] == ["three", "four", "five"]
    assert (stream.refused.total, told) == (1, [(1, 4)])


def test_a_reader_that_breaks_keeps_what_it_had_read(letters, tmp_path, monkeypatch):
    def breaking(self, source):
        yield Piece("one")
        yield Piece("two")
        raise ZeroDivisionError("a strange file")

    (tmp_path / "1.txt").write_text("one")
    monkeypatch.setattr(type(letters), "read", breaking)
    for sheet in (1, 2, 100):
        monkeypatch.setattr(source_reader, "SHEET", sheet)
        corpus = read(letters, [str(tmp_path)])
        assert [piece.content for piece in corpus.pieces] == ["one", "two"]
        assert len(corpus.unreadable) == 1


def test_progress_is_told(letters, tunes):
    told = []
    read(letters, [str(tunes)], progress=lambda *counts: told.append(counts))
    assert told == [(1, 20), (2, 40), (3, 60)]


def test_identity_is_of_the_content_alone_and_tells_contents_apart():
    note = Note(Fraction(0), 60, Fraction(1, 2))
    contents = ["abc", "ab", ("a", "b"), ("ab",), (("a",), "b"), b"abc", note, (60, 1), frozenset({1, 2, 3}), 1, "1"]
    digests = [identity(Piece(content)) for content in contents]
    assert len(set(digests)) == len(contents)
    assert identity(Piece("abc", title="t", source="elsewhere")) == digests[0]
    assert identity(Piece(Note(Fraction(0), 60, Fraction(2, 4)))) == digests[6]
