"""Reading sources as text, whole or line by line, in any encoding."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ReadError, Source
from composer.api.source import missing_file_error

CODECS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\u2028", "\x85", "\x0b"])
LINES = st.lists(st.tuples(st.text(st.characters(codec="cp1252", exclude_characters="\0")), ENDS), max_size=20)


def joined_lines(source):
    return "\n".join(source.lines())


@given(LINES, CODECS)
def test_lines_agree_with_text(lines, codec):
    data = "".join(text + end for text, end in lines).encode(codec, "ignore")
    source = Source(Path("a.txt"), data=data)
    assert joined_lines(source) == source.text().removesuffix("\n")


@given(st.binary(max_size=200))
def test_bytes_with_nul_are_not_text(data):
    source = Source(Path("a.txt"), data=data)
    if b"\0" in data and data[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        for read in (Source.text, joined_lines):
            with pytest.raises(ReadError, match=r"not a text file|not text"):
                read(source)
    elif b"\0" not in data:
        assert joined_lines(source) == source.text().removesuffix("\n")


def test_lines_of_a_file(tmp_path):
    (tmp_path / "a.txt").write_bytes("Tyger\r\ntyg\u00e9r\r\n\r\nburning".encode("cp1252"))
    assert list(Source(tmp_path / "a.txt").lines()) == ["Tyger", "tyg\u00e9r", "", "burning"]
    assert Source(tmp_path / "a.txt").size() == 23


@pytest.mark.parametrize("read", [Source.bytes, Source.text, joined_lines])
def test_missing_or_too_large_sources_are_named(tmp_path, read):
    with pytest.raises(ReadError, match=r"no such file or folder: gone\.txt"):
        read(Source(tmp_path / "gone.txt", name="gone.txt"))
    (tmp_path / "a.txt").write_bytes(b"a" * 2**20 + b"b")
    with pytest.raises(ReadError, match=r"a\.txt is larger than 1 MB"):
        read(Source(tmp_path / "a.txt", name="a.txt", limit=2**20))


def test_a_missing_file_is_compared_with_similar_names_only(tmp_path):
    (tmp_path / "c.abc").touch()
    (tmp_path / "tunes.abc").touch()
    assert missing_file_error(str(tmp_path / "tuns.abc")).hint == f"did you mean `{tmp_path / 'tunes.abc'}`?"
    assert missing_file_error(str(tmp_path / "nosuch.abc")).hint.startswith("check the spelling")
    assert missing_file_error(str(tmp_path / "none" / "tune.abc")).hint.startswith(
        f"there is no folder `{tmp_path / 'none'}`;"
    )
