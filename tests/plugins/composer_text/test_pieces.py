"""Reading text files: splitting into pieces, labels and cleaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import Piece, ReadError, RejectedPiece, Source
from composer.api.testing import source
from composer_text import Text, TextOptions, pieces
from composer_text.options import PIECES
from composer_text.pieces import CONTROL, MAX_SONG_LENGTH

TWO = "Up the hill\nwe go.\n\nDown again.\n\n\nNight falls,\nall calls.\n"
LONG = "Word after word after word\n" * (MAX_SONG_LENGTH // 25)


def read(text: str | bytes, name: str = "songs.txt", **options: object) -> list[Piece | RejectedPiece]:
    return list(Text(TextOptions(**options)).read(source(text, name)))  # type: ignore[arg-type]


def contents(text: str | bytes, name: str = "songs.txt", **options: object) -> list[object]:
    return [item.content for item in read(text, name, **options) if isinstance(item, Piece)]


def at(place: str, text: str = "Some words.\n") -> Source:
    return Source(Path("/songs") / place, root=Path("/songs"), data=text.encode())


def labels(place: Source, **options: object) -> list[dict[str, str]]:
    items = Text(TextOptions(**options)).read(place)  # type: ignore[arg-type]
    return [dict(item.labels) for item in items if isinstance(item, Piece)]


PARAGRAPHS = st.lists(
    st.sampled_from(
        ["Up the hill", "\n", "\n\n", "\n\n\n", "\r\n", "\u2028", "\x85\n \n", "Night\tfalls \n", "e\u0301"]
    )
)


@given(PARAGRAPHS, st.booleans(), st.sampled_from([piece for piece in PIECES if piece != "file"]))
def test_streamed_files_have_the_same_pieces(paragraphs, long, piece):
    """Large files are streamed, shorter ones are held in memory."""
    text = "".join(paragraphs) + "\n\n\n" * long + LONG
    expected = read(text, piece=piece)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pieces, "LARGE_TEXT", 0)
        patched.setattr(Source, "text", None)
        assert read(text, piece=piece) == expected


def test_large_files_without_text_are_empty(monkeypatch):
    monkeypatch.setattr(pieces, "LARGE_TEXT", 0)
    with pytest.raises(ReadError, match="is empty"):
        read(" \n\n\t\n")


class TestPieces:
    def test_short_file_is_one_piece(self):
        assert contents(TWO) == ["Up the hill\nwe go.\n\nDown again.\n\nNight falls,\nall calls."]

    def test_long_file_is_split_at_gaps(self):
        first, second, third = contents(TWO + "\n\n" + LONG)
        assert (first, second) == ("Up the hill\nwe go.\n\nDown again.", "Night falls,\nall calls.")
        assert third == LONG.strip()

    def test_long_file_without_gaps_is_split_at_blank_lines(self):
        assert contents("First\nof all.\n\nThen this.\n\n" + LONG)[:2] == ["First\nof all.", "Then this."]

    def test_piece_option(self):
        assert len(contents(LONG + "\n\n\n" + LONG, piece="file")) == 1
        assert contents(TWO, piece="gap") == ["Up the hill\nwe go.\n\nDown again.", "Night falls,\nall calls."]
        assert contents(TWO, piece="blank") == ["Up the hill\nwe go.", "Down again.", "Night falls,\nall calls."]
        assert contents(TWO, piece="row")[:3] == ["Up the hill", "we go.", "Down again."]

    @pytest.mark.parametrize("heading", ["THE HILL", "THE HILL\n\n  Tune: Down the dale"])
    def test_single_lines_are_headings_of_the_next_part(self, heading):
        text = f"BOOK I\n\n\n{heading}\n\n\nUp the hill\nwe go.\n\n\nEND\n"
        assert contents(text, piece="gap") == ["BOOK I", f"{heading}\n\nUp the hill\nwe go.", "END"]

    def test_file_of_single_lines(self):
        assert contents("To be.\n\n\nOr not.\n", piece="gap") == ["To be.", "Or not."]

    def test_pieces_are_named_by_line(self):
        assert [item.source for item in read(TWO, piece="gap")] == ["songs.txt: line 1", "songs.txt: line 7"]
        assert [item.source for item in read(TWO)] == ["songs.txt"]

    def test_primer_is_not_split(self):
        given = Source(Path("--prime-text"), name="--prime-text", data=b"Why ", fragment=True)
        (piece,) = Text(TextOptions(lower=True)).read(given)
        assert isinstance(piece, Piece)
        assert piece.content == "why "


class TestCleaning:
    def test_line_ends_and_trailing_spaces(self):
        assert contents("one  \r\ntwo\t\r\n\r\n\r\n\r\nthree\r") == ["one\ntwo\n\nthree"]

    def test_control_characters_are_removed_and_counted(self):
        (piece,) = read("a\x07b\x1bc\td\x7f\n")
        assert isinstance(piece, Piece)
        assert piece.content == "abc\td"
        assert piece.losses == {CONTROL: 3}

    def test_accents_are_combined(self):
        assert contents("cafe\u0301 o\u0308l \u1112\u1161\u11ab") == ["caf\u00e9 \u00f6l \ud55c"]

    @pytest.mark.parametrize(
        "text", ["a" + "\u0301\u0323" * 200_000, "word" + "\n" * 400_000, " \n" * 200_000 + "word"]
    )
    def test_cleaning_takes_linear_time(self, text):
        assert len(contents(text, piece="gap")) == len(contents(text)) == 1

    def test_unicode_line_ends(self):
        assert contents("one\u2028two\u2029three") == ["one\ntwo\nthree"]

    def test_byte_order_mark_is_removed(self):
        assert contents("word".encode("utf-8-sig")) == ["word"]

    def test_lower_option(self):
        assert contents("Ye Banks", lower=True) == ["ye banks"]

    @pytest.mark.parametrize("text", ["", "\n \n"])
    def test_empty_file(self, text):
        with pytest.raises(ReadError, match=r"songs\.txt is empty") as caught:
            read(text)
        assert caught.value.hint

    def test_file_of_control_characters(self):
        (item,) = read("\x01\x02")
        assert isinstance(item, RejectedPiece)


class TestLabels:
    def test_first_subfolder_is_the_artist(self):
        assert labels(at("burns/1790/tam.txt")) == [{"artist": "burns"}]
        assert labels(at("tam.txt")) == [{}]
        assert labels(source("words", "burns/tam.txt")) == [{}]

    def test_file_name_as_label(self):
        assert labels(at("burns.txt"), label="file", label_name="author") == [{"author": "burns"}]
        assert labels(source("words", "burns.txt"), label="file") == [{"artist": "burns"}]

    def test_no_label(self):
        assert labels(at("burns/tam.txt"), label="none") == [{}]

    def test_columns_take_precedence_over_folders(self):
        place = at("burns/all.csv", "artist,text\nblake,Tyger\n,Wee\n")
        assert labels(place, labels=("artist",)) == [{"artist": "blake"}, {"artist": "burns"}]

    def test_only_option_counts_rejections(self):
        text = Text(TextOptions(only=("Burns", "artist:blake")))
        items = [item for name in ("burns", "blake", "watts") for item in text.read(at(f"{name}/a.txt"))]
        items += text.read(at("nobody.txt"))
        assert [item.reason for item in items if isinstance(item, RejectedPiece)] == [
            "artist is `watts`",
            "no artist",
        ]
        assert len(items) == 4
