"""Reading CSV files: dialects, columns and errors."""

from __future__ import annotations

import csv
import shlex
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
def test_delimiters(delimiter):
    text = "artist,lyric\nburns,\"Wee; sleekit, cow'rin\ttim'rous\"\n".replace(",", delimiter, 2)
    if delimiter != ",":
        text = f"artist{delimiter}lyric\nburns{delimiter}\"Wee; sleekit, cow'rin\ttim'rous\"\n"
    assert contents(text) == ["Wee; sleekit, cow'rin\ttim'rous"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}\n", '"sep={}"\r\n', "SEP={}\r\n", "\ufeffsep={}\n"])
def test_a_line_with_the_delimiter_as_spreadsheets_write_it(line, delimiter):
    table = "artist;lyric\nAnn;one, two\nBob;three, four\n"
    if delimiter == ",":
        table = table.replace(", ", " ")
    text = line.format(delimiter) + table.replace(";", delimiter)
    found = read(text.encode("utf-8"), labels=("artist",))
    assert [item.labels for item in found] == [{"artist": "Ann"}, {"artist": "Bob"}]
    assert found[1].content.replace(",", "") == "three four"


@pytest.mark.parametrize(
    "line", ["sep=;;;\n", "sep=\n", "SEP = ;\n", "\nsep=;\n", '"sep=;";;\r\n', "sep=,\n", "sep=\\t\n", "sep=|\n"]
)
def test_a_line_that_a_program_spoiled(line):
    """Fields that were added to it, no delimiter, another one than the file has, blanks, an empty line before it."""
    table = "artist;song;link;text\nAnn;One;/a;la, la 3,5\n"
    assert contents(line + table, column="lyric") == ["la, la 3,5"]


def test_a_tab_may_be_written_as_an_escape():
    assert contents("sep=\\t\nartist, song\ttext\nAnn, One\tla, la\n") == ["la, la"]


def test_a_column_may_have_the_name_of_the_line():
    assert contents("sep,text\n;,la la\n", column="text") == ["la la"]


def test_a_line_with_the_delimiter_in_utf_16():
    assert contents("sep=;\r\nlyric;year\r\nla la;1790\r\n".encode("utf-16"), column="lyric") == ["la la"]


def test_errors_count_the_line_with_the_delimiter():
    assert "line 3: unclosed quote" in error('sep=;\nlyric;year\n"la;1\n').message


@pytest.mark.parametrize("content", ["sep=;", "sep=;\n", "sep=;\nlyric;year\n"])
def test_a_line_with_the_delimiter_and_no_rows(content):
    error(content)


@pytest.mark.parametrize("column", ["lyric", "Lyrics", "poem", "text"])
def test_usual_names_of_the_text_column_stand_for_one_another(column):
    assert contents("artist,song,link,text\nAnn,One,/a,la la\n", column=column) == ["la la"]


def test_a_usual_name_that_could_mean_two_columns_is_an_error():
    assert "no column `lyric`" in error("text,poem\na,b\n", column="lyric").message
    assert "no column `genre`" in error("artist,text\na,b\n", column="genre").message


def test_quoted_fields():
    text = 'title,text\r\nOne,"He said ""no"",\r\n\r\nand left."\r\nTwo,plain'
    assert contents(text) == ['He said "no",\n\nand left.', "plain"]


def test_byte_order_mark_is_skipped():
    assert contents("lyric,year\nla la,1790\n".encode("utf-8-sig"), column="lyric") == ["la la"]


def test_row_becomes_a_piece_with_labels():
    text = "Artist,genre,lyric\nburns,song,O my luve\nblake,,Tyger\n"
    assert read(text, labels=("artist", "genre")) == [
        Piece("O my luve", source="poems.csv: row 1", labels={"artist": "burns", "genre": "song"}),
        Piece("Tyger", source="poems.csv: row 2", labels={"artist": "blake"}),
    ]


def test_rows_can_be_split():
    assert contents('lyric\n"one\n\ntwo"\n', piece="blank") == ["one", "two"]


def test_rows_without_text_are_rejected():
    reasons = [item.reason for item in read("a,text\n1\n2,\n3,x\n") if isinstance(item, RejectedPiece)]
    assert reasons == ["no text"] * 2


def test_rows_with_extra_fields_are_rejected():
    (item,) = read("artist,text\nburns,O my luve, like a rose\n")
    assert item == RejectedPiece("more fields than columns", "poems.csv: row 1")
    assert contents("artist,text\nburns,O my luve,,\n") == ["O my luve"]


def test_only_can_use_a_column_that_is_not_a_condition():
    (piece,) = [
        item for item in read("artist,text\nburns,a\nblake,b\n", only=("Artist:Blake",)) if isinstance(item, Piece)
    ]
    assert piece == Piece("b", source="poems.csv: row 2")


@pytest.mark.parametrize(
    ("header", "labels", "column"),
    [("words", (), "words"), ("artist,thing", ("artist",), "thing"), ("artist,song,Lyrics,link", (), "Lyrics")],
)
def test_text_column_is_detected(header, labels, column):
    row = ",".join("yes" if name == column else "no" for name in header.split(","))
    assert contents(f"{header}\n{row}\n", labels=labels) == ["yes"]


@pytest.mark.parametrize("header", ["artist,song line", "artist,refrain's end", "text,lyrics"])
def test_ambiguous_text_column_lists_the_columns_and_suggests_the_longest(header):
    found = error(f"{header}\na,bc\n")
    assert all(f"`{name}`" in found.message for name in header.split(","))
    assert shlex.split(found.hint) == ["use", "-O", f"column={header.split(',')[1]}"]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"column": "lyrik"}, "use -O column=lyrics"),
        ({"column": "Artst"}, "use -O column=artist"),
        ({"column": "xyz"}, "use -O column=lyrics"),
        ({"labels": ("lyrik",)}, "did you mean `lyrics`?"),
    ],
)
def test_unknown_column(options, hint):
    found = error("artist,lyrics\nburns,a long one\n", **options)
    name = options.get("column") or options["labels"][0]
    assert found.message == f"poems.csv has no column `{name}`; it has `artist`, `lyrics`"
    assert found.hint == hint


def test_long_list_of_columns_is_shortened():
    found = error(",".join(f"c{number}" for number in range(500)) + "\n1\n")
    assert "and 480 more" in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (",,\n ,\n", "is empty"),
        ("artist,lyric\n", "has only one row"),
        (b"artist,lyric\nburns,a\0b\n", "is not a text file"),
        ('artist,lyric\nburns,a\nblake,"b\nwatts,c\n', "line 3: unclosed quote"),
        ('"artist,lyric\nburns,a\n', "line 1: unclosed quote"),
        (
            f"artist,lyric\nburns,{'a' * (MAX_FIELD_LENGTH + 1)}\n",
            "line 2: invalid field, or one of more than 1,000,000 characters",
        ),
    ],
)
def test_invalid_table(text, says):
    assert says in error(text).message


MEANINGFUL = st.sampled_from(['"', ",", ";", "\t", "\n", "\r", "\0", " ", "a", "text", '"\n"', "\x1c", "\u2028", "é"])


@given(st.lists(MEANINGFUL, max_size=60).map("".join), st.sampled_from(["auto", "gap", "blank", "row"]))
def test_any_table_gives_pieces_or_an_error(text, piece):
    found = None
    try:
        items = read(text, piece=piece)
    except ReadError as error:
        found, items = error, []
    assert found is None or (found.hint and "\n" not in found.message)
    assert all(isinstance(item, RejectedPiece) or str(item.content).strip() for item in items)


@given(st.binary(max_size=80))
def test_any_bytes_give_pieces_or_an_error(data):
    for name in ("a.csv", "a.txt", "a.tsv"):
        with suppress(ReadError):
            read(data, name)


def test_csv_field_limit_is_restored():
    before = csv.field_size_limit()
    contents("lyric\na\n")
    error(f"lyric\n{'a' * (MAX_FIELD_LENGTH + 1)}\n")
    assert csv.field_size_limit() == before
