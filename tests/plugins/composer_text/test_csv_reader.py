"""CSV files: their dialects, their columns, and those that cannot be read."""

from __future__ import annotations

import csv
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import Piece, ReadError, RejectedPiece
from composer.api.testing import source
from composer_text import Text, TextOptions
from composer_text.csv_reader import MAX_FIELD_LENGTH


def read(text: str | bytes, name: str = "poems.csv", **options: object) -> list[Piece | RejectedPiece]:
    return list(Text(TextOptions(**options)).read(source(text, name)))  # type: ignore[arg-type]


def contents(text: str | bytes, **options: object) -> list[object]:
    return [item.content for item in read(text, **options) if isinstance(item, Piece)]


def error(text: str | bytes, **options: object) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(text, **options)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_may_be_divided_by_commas_semicolons_or_tabs(delimiter):
    text = "artist,lyric\nburns,\"Wee; sleekit, cow'rin\ttim'rous\"\n".replace(",", delimiter, 2)
    if delimiter != ",":
        text = f"artist{delimiter}lyric\nburns{delimiter}\"Wee; sleekit, cow'rin\ttim'rous\"\n"
    assert contents(text) == ["Wee; sleekit, cow'rin\ttim'rous"]


def test_a_quoted_text_may_hold_lines_and_quotes():
    text = 'title,text\r\nOne,"He said ""no"",\r\n\r\nand left."\r\nTwo,plain'
    assert contents(text) == ['He said "no",\n\nand left.', "plain"]


def test_a_mark_of_the_byte_order_is_no_part_of_a_name():
    assert contents("lyric,year\nla la,1790\n".encode("utf-8-sig"), column="lyric") == ["la la"]


def test_a_row_is_a_piece_with_its_number_and_labels():
    text = "Artist,genre,lyric\nburns,song,O my luve\nblake,,Tyger\n"
    assert read(text, labels=("artist", "genre")) == [
        Piece("O my luve", source="poems.csv: row 1", labels={"artist": "burns", "genre": "song"}),
        Piece("Tyger", source="poems.csv: row 2", labels={"artist": "blake"}),
    ]


def test_a_row_can_be_divided_further():
    assert contents('lyric\n"one\n\ntwo"\n', piece="blank") == ["one", "two"]


def test_rows_without_a_text_are_refused():
    reasons = [item.reason for item in read("a,text\n1\n2,\n3,x\n") if isinstance(item, RejectedPiece)]
    assert reasons == ["there is no text in it"] * 2


def test_a_text_whose_commas_are_not_quoted_is_refused_rather_than_cut():
    (item,) = read("artist,text\nburns,O my luve, like a rose\n")
    assert item == RejectedPiece("it has more fields than there are columns", "poems.csv: row 1")
    assert contents("artist,text\nburns,O my luve,,\n") == ["O my luve"]


def test_rows_can_be_chosen_by_a_column_that_is_no_condition():
    (piece,) = [
        item for item in read("artist,text\nburns,a\nblake,b\n", only=("Artist:Blake",)) if isinstance(item, Piece)
    ]
    assert piece == Piece("b", source="poems.csv: row 2")


@pytest.mark.parametrize(
    ("header", "labels", "column"),
    [("words", (), "words"), ("artist,thing", ("artist",), "thing"), ("artist,song,Lyrics,link", (), "Lyrics")],
)
def test_a_column_that_is_plain_is_taken(header, labels, column):
    row = ",".join("yes" if name == column else "no" for name in header.split(","))
    assert contents(f"{header}\n{row}\n", labels=labels) == ["yes"]


@pytest.mark.parametrize("header", ["artist,line", "text,lyrics,artist"])
def test_where_the_column_is_not_plain_those_there_are_listed(header):
    found = error(f"{header}\na,b,c\n")
    assert all(f"`{name}`" in found.message for name in header.split(","))
    assert "-o column=" in found.hint


@pytest.mark.parametrize("options", [{"column": "lyrik"}, {"labels": ("lyrik",)}])
def test_a_column_that_is_not_there(options):
    found = error("artist,lyrics\nburns,a\n", **options)
    assert found.message == "poems.csv has no column `lyrik`; it has `artist`, `lyrics`"
    assert found.hint == "did you mean `lyrics`?"


def test_of_very_many_columns_some_are_listed():
    found = error(",".join(f"c{number}" for number in range(500)) + "\n1\n")
    assert "and 480 more" in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (",,\n ,\n", "is empty"),
        ("artist,lyric\n", "has a single row"),
        (b"artist,lyric\nburns,a\0b\n", "is not a text file"),
        ('artist,lyric\nburns,a\nblake,"b\nwatts,c\n', "line 3: a quote is opened and never closed"),
        ('"artist,lyric\nburns,a\n', "line 1: a quote is opened and never closed"),
        (f"artist,lyric\nburns,{'a' * (MAX_FIELD_LENGTH + 1)}\n", "line 2: a field has more than 1,000,000 characters"),
    ],
)
def test_a_table_that_cannot_be_read(text, says):
    assert says in error(text).message


MEANINGFUL = st.sampled_from(['"', ",", ";", "\t", "\n", "\r", "\0", " ", "a", "text", '"\n"', "\x1c", "\u2028", "é"])


@given(st.lists(MEANINGFUL, max_size=60).map("".join), st.sampled_from(["auto", "gap", "blank", "row"]))
def test_any_table_is_pieces_or_one_line_of_error(text, piece):
    found = None
    try:
        items = read(text, piece=piece)
    except ReadError as error:
        found, items = error, []
    assert found is None or (found.hint and "\n" not in found.message)
    assert all(isinstance(item, RejectedPiece) or str(item.content).strip() for item in items)


@given(st.binary(max_size=80))
def test_any_bytes_are_pieces_or_an_error(data):
    for name in ("a.csv", "a.txt", "a.tsv"):
        with suppress(ReadError):
            read(data, name)


def test_the_csv_module_is_left_as_it_was():
    before = csv.field_size_limit()
    contents("lyric\na\n")
    error(f"lyric\n{'a' * (MAX_FIELD_LENGTH + 1)}\n")
    assert csv.field_size_limit() == before
