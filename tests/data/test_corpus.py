"""Reading a corpus: what is skipped is counted and named; only a corpus without a piece is an error."""

from fractions import Fraction

import pytest

from composer.api import Note, Piece, ReadError, RejectedPiece
from composer.data import source_reading
from composer.data.corpus import CorpusReader, NoMatchingFiles, content_digest, read


def test_rejected_pieces_are_counted_by_reason_with_places(letters, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("one tw0 three 4our fi5e 6ix")
    corpus = read(letters, [str(path)])
    assert [piece.content for piece in corpus.pieces] == ["one", "three"]
    assert corpus.rejected.counts == {"a word has a digit": 4}
    assert corpus.rejected.places["a word has a digit"] == [
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


def test_an_exception_in_one_file_does_not_lose_the_others(letters, tmp_path, monkeypatch):
    (tmp_path / "1.txt").write_text("one")
    (tmp_path / "2.txt").write_text("two")
    original = type(letters).read

    def breaking(self, source):
        if source.path.name == "1.txt":
            raise ZeroDivisionError("a strange file")
        yield from original(self, source)

    monkeypatch.setattr(type(letters), "read", breaking)
    corpus = read(letters, [str(tmp_path)])
    assert [piece.content for piece in corpus.pieces] == ["two"]
    assert "1.txt: ZeroDivisionError: a strange file" in corpus.unreadable[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\x89PNG\0", "is not a text file"), (b"0ne tw0", "2 skipped: a word has a digit")],
)
def test_a_corpus_without_a_piece_is_an_error_with_the_reason(letters, tmp_path, content, says):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=says) as caught:
        read(letters, [str(path)])
    assert caught.value.hint


def test_the_error_has_the_hint_of_the_unreadable_file(letters, tmp_path, monkeypatch):
    def read_with_hint(self, source):
        raise ReadError("no column `lyric`", "did you mean `lyrics`?")

    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setattr(type(letters), "read", read_with_hint)
    with pytest.raises(ReadError, match="no column `lyric`") as caught:
        read(letters, [str(tmp_path)])
    assert caught.value.hint == "did you mean `lyrics`?"


def test_the_hint_has_the_other_reasons_if_all_are_rejected(letters, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    rejected = [RejectedPiece(f"the artist is `{artist}`", "a.txt") for artist in ("burns", "blake", "burns")]
    monkeypatch.setattr(type(letters), "read", lambda self, source: iter(rejected))
    with pytest.raises(ReadError, match="2 skipped: the artist is `burns`") as caught:
        read(letters, [str(tmp_path)])
    assert "1 skipped: the artist is `blake`" in caught.value.message
    assert f"composer check {tmp_path}" in caught.value.hint


def test_a_folder_without_matching_files_is_an_error_that_counts_the_others(letters, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(NoMatchingFiles, match=r"no \.txt files in .*folder$") as caught:
        read(letters, [str(tmp_path / "folder")])
    assert caught.value.hint == "name other files or folders"
    for name in ("a.mid", "b.MID", "c.abc", ".hidden.xml", "README"):
        (tmp_path / "folder" / name).touch()
    with pytest.raises(NoMatchingFiles, match=r"\(found 2 \.mid, 1 \.abc files, 1 without suffix\)$") as caught:
        read(letters, [str(tmp_path / "folder")])
    assert caught.value.found == {".mid": 2, ".abc": 1}
    assert caught.value.hint == "to read files with other suffixes, name each file"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.mid").touch()
    with pytest.raises(NoMatchingFiles, match=r"\(found 1 \.mid file\)$"):
        read(letters, [str(tmp_path / "other")])


def test_pieces_are_yielded_while_a_file_is_read(letters, tmp_path, monkeypatch):
    (tmp_path / "1.txt").write_text("one tw0 three four five")
    monkeypatch.setattr(source_reading, "CHUNK", 2)
    progress = []
    reader = CorpusReader(letters, [str(tmp_path)], progress=lambda *counts: progress.append(counts))
    pieces = iter(reader)
    assert next(pieces).content == "one"
    assert (reader.rejected.total, progress) == (0, [])
    assert [piece.content for piece in pieces] == ["three", "four", "five"]
    assert (reader.rejected.total, progress) == (1, [(1, 4)])


def test_pieces_before_an_exception_are_kept(letters, tmp_path, monkeypatch):
    def breaking(self, source):
        yield Piece("one")
        yield Piece("two")
        raise ZeroDivisionError("a strange file")

    (tmp_path / "1.txt").write_text("one")
    monkeypatch.setattr(type(letters), "read", breaking)
    for chunk in (1, 2, 100):
        monkeypatch.setattr(source_reading, "CHUNK", chunk)
        corpus = read(letters, [str(tmp_path)])
        assert [piece.content for piece in corpus.pieces] == ["one", "two"]
        assert len(corpus.unreadable) == 1


def test_progress_counts_sources_and_pieces(letters, tunes):
    progress = []
    read(letters, [str(tunes)], progress=lambda *counts: progress.append(counts))
    assert progress == [(1, 20), (2, 40), (3, 60)]


def test_content_digest_depends_on_the_content_only():
    note = Note(Fraction(0), 60, Fraction(1, 2))
    contents = ["abc", "ab", ("a", "b"), ("ab",), (("a",), "b"), b"abc", note, (60, 1), frozenset({1, 2, 3}), 1, "1"]
    digests = [content_digest(Piece(content)) for content in contents]
    assert len(set(digests)) == len(contents)
    assert content_digest(Piece("abc", title="t", source="elsewhere")) == digests[0]
    assert content_digest(Piece(Note(Fraction(0), 60, Fraction(2, 4)))) == digests[6]
