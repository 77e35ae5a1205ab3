"""What a piece of text is, what its labels are, and how its text is cleaned."""

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
def test_a_file_that_is_not_held_as_a_whole_has_the_same_pieces(paragraphs, long, piece):
    """A long file differs from a large one only in that its text is in memory."""
    text = "".join(paragraphs) + "\n\n\n" * long + LONG
    expected = read(text, piece=piece)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pieces, "LARGE_TEXT", 0)
        patched.setattr(Source, "text", None)
        assert read(text, piece=piece) == expected


def test_an_empty_file_is_as_empty_where_it_is_large(monkeypatch):
    monkeypatch.setattr(pieces, "LARGE_TEXT", 0)
    with pytest.raises(ReadError, match="is empty"):
        read(" \n\n\t\n")


class TestPieces:
    def test_a_short_file_is_a_piece(self):
        assert contents(TWO) == ["Up the hill\nwe go.\n\nDown again.\n\nNight falls,\nall calls."]

    def test_a_long_file_is_divided_at_gaps_where_there_are_such(self):
        first, second, third = contents(TWO + "\n\n" + LONG)
        assert (first, second) == ("Up the hill\nwe go.\n\nDown again.", "Night falls,\nall calls.")
        assert third == LONG.strip()

    def test_a_long_file_without_gaps_is_divided_at_blank_lines(self):
        assert contents("First\nof all.\n\nThen this.\n\n" + LONG)[:2] == ["First\nof all.", "Then this."]

    def test_the_way_of_dividing_can_be_chosen(self):
        assert len(contents(LONG + "\n\n\n" + LONG, piece="file")) == 1
        assert contents(TWO, piece="gap") == ["Up the hill\nwe go.\n\nDown again.", "Night falls,\nall calls."]
        assert contents(TWO, piece="blank") == ["Up the hill\nwe go.", "Down again.", "Night falls,\nall calls."]
        assert contents(TWO, piece="row")[:3] == ["Up the hill", "we go.", "Down again."]

    @pytest.mark.parametrize("heading", ["THE HILL", "THE HILL\n\n  Tune: Down the dale"])
    def test_single_lines_are_the_heading_of_what_follows_a_gap(self, heading):
        text = f"BOOK I\n\n\n{heading}\n\n\nUp the hill\nwe go.\n\n\nEND\n"
        assert contents(text, piece="gap") == ["BOOK I", f"{heading}\n\nUp the hill\nwe go.", "END"]

    def test_single_lines_with_nothing_longer_are_pieces(self):
        assert contents("To be.\n\n\nOr not.\n", piece="gap") == ["To be.", "Or not."]

    def test_pieces_are_named_by_their_lines(self):
        assert [item.source for item in read(TWO, piece="gap")] == ["songs.txt: line 1", "songs.txt: line 7"]
        assert [item.source for item in read(TWO)] == ["songs.txt"]

    def test_an_opening_is_taken_as_it_is(self):
        given = Source(Path("--prime-text"), name="--prime-text", data=b"Why ", fragment=True)
        (piece,) = Text(TextOptions(lower=True)).read(given)
        assert isinstance(piece, Piece)
        assert piece.content == "why "


class TestCleaning:
    def test_line_ends_and_blanks_at_the_end_of_lines_go(self):
        assert contents("one  \r\ntwo\t\r\n\r\n\r\n\r\nthree\r") == ["one\ntwo\n\nthree"]

    def test_control_characters_go_and_are_counted(self):
        (piece,) = read("a\x07b\x1bc\td\x7f\n")
        assert isinstance(piece, Piece)
        assert piece.content == "abc\td"
        assert piece.losses == {CONTROL: 3}

    def test_a_letter_with_an_accent_is_one_character(self):
        assert contents("cafe\u0301 o\u0308l \u1112\u1161\u11ab") == ["caf\u00e9 \u00f6l \ud55c"]

    @pytest.mark.parametrize(
        "text", ["a" + "\u0301\u0323" * 200_000, "word" + "\n" * 400_000, " \n" * 200_000 + "word"]
    )
    def test_no_text_takes_longer_than_its_length_lets_expect(self, text):
        assert len(contents(text, piece="gap")) == len(contents(text)) == 1

    def test_other_line_ends_are_line_ends(self):
        assert contents("one\u2028two\u2029three") == ["one\ntwo\nthree"]

    def test_a_mark_of_the_byte_order_is_no_character(self):
        assert contents("word".encode("utf-8-sig")) == ["word"]

    def test_capitals_can_be_turned_into_small_letters(self):
        assert contents("Ye Banks", lower=True) == ["ye banks"]

    @pytest.mark.parametrize("text", ["", "\n \n"])
    def test_an_empty_file_is_an_error(self, text):
        with pytest.raises(ReadError, match=r"songs\.txt is empty") as caught:
            read(text)
        assert caught.value.hint

    def test_a_file_of_control_characters_has_no_text(self):
        (item,) = read("\x01\x02")
        assert isinstance(item, RejectedPiece)


class TestLabels:
    def test_the_first_folder_below_the_one_named_is_the_artist(self):
        assert labels(at("burns/1790/tam.txt")) == [{"artist": "burns"}]
        assert labels(at("tam.txt")) == [{}]
        assert labels(source("words", "burns/tam.txt")) == [{}]

    def test_a_file_can_be_the_label_and_the_label_be_called_otherwise(self):
        assert labels(at("burns.txt"), label="file", label_name="author") == [{"author": "burns"}]
        assert labels(source("words", "burns.txt"), label="file") == [{"artist": "burns"}]

    def test_there_need_not_be_a_label(self):
        assert labels(at("burns/tam.txt"), label="none") == [{}]

    def test_a_column_goes_before_a_folder(self):
        place = at("burns/all.csv", "artist,text\nblake,Tyger\n,Wee\n")
        assert labels(place, labels=("artist",)) == [{"artist": "blake"}, {"artist": "burns"}]

    def test_only_what_is_asked_for_is_read_and_the_rest_is_counted_by_its_label(self):
        text = Text(TextOptions(only=("Burns", "artist:blake")))
        items = [item for name in ("burns", "blake", "watts") for item in text.read(at(f"{name}/a.txt"))]
        items += text.read(at("nobody.txt"))
        assert [item.reason for item in items if isinstance(item, RejectedPiece)] == [
            "the artist is `watts`",
            "it has no artist",
        ]
        assert len(items) == 4
