"""Damaged and enormous kern is refused in one line, with its place and a hint."""

import pytest
from kern_text import kern

from composer.api import ReadError
from composer.api.testing import source
from composer.formats.kern.input_limits import check_kern
from composer.formats.kern.reader import read_pieces

BROKEN = {
    "a column too few": ("**kern  **kern\n4c  4d\n4e\n*-  *-", "at line 3: 1 column, but 2 spines"),
    "a bar line in one spine": ("**kern\t**kern\n4c\t4e\n2\t=1\n*-\t*-", "at line 3: a bar line in only 1 of 2 spines"),
    "a bar line in kern alone": (
        "**text\t**kern\nla\t4e\n.\t=1\n*-\t*-",
        "at line 3: a bar line in only 1 of 2 spines",
    ),
    "a bar line without the last spine": (
        "**kern\t**kern\n4c\t4e\n=1\t.\n*-\t*-",
        "at line 3: a bar line in only 1 of 2 spines",
    ),
    "an interpretation in one spine": (
        "**kern\t**kern\n4c\t4e\n2d\t*\n*-\t*-",
        "at line 3: an interpretation in only 1 of 2 spines",
    ),
    "a note beside interpretations": (
        "**kern\t**kern\n4c\t4e\n*\t2f\n*-\t*-",
        "at line 3: an interpretation in only 1 of 2 spines",
    ),
    "a column too many": ("**kern\n4c\n4d  4e\n*-", "at line 3: 2 columns, but 1 spine"),
    "an impossible rhythm": ("**kern\n4c\n999999c\n*-", "at line 3: impossible rhythm '999999c'"),
    "spines that part": ("**kern  **kern\n4c  2d\n8e  .\n4c  4e\n*-  *-", "at line 4: the note lengths before it"),
    "no notes": ("**kern\n4r\n*-", "has no notes"),
    "no kern": ("**text\nla\n*-", "has no **kern spine"),
    "a meter of a billion beats": ("**kern\n*M999999999/4\n4c\n*-", "has an impossible meter"),
    "a note of 33,333 whole notes": ("**kern\n4c\n3%99999d\n*-", "an impossible note length at line 3: 3%99999"),
    "a note of 65,536 whole notes": ("**kern\n4c\n" + "0" * 17 + "d\n*-", "an impossible note length at line 3: 0000"),
    "more spines than any score": ("  ".join(["**kern"] * 300), "has more than 256 spines"),
    "a chord of hundreds": (
        "**kern\n" + " ".join(["4c"] * 400) + "\n*-",
        "at line 2: a chord of 400 notes, more than 128",
    ),
    "a note that never ends": ("**kern\n1c\n" + ".\n" * 2001 + "*-", "at line 2003: a note that lasts for more than"),
    "a spine that stops": (
        "**kern  **kern\n4c  4c\n" + ".  4c\n" * 402 + "*-  *-",
        "at line 403: a spine without notes or",
    ),
    "a line that never ends": ("**kern\n" + "4c " * 10_000 + "\n*-", "line 2 has more than 20,000 characters"),
    "too many notes": ("**kern\n" + "4c 4e 4g 4cc\n" * 6300 + "*-", "has more than 25,000 notes and rests"),
    "too many bars": ("**kern\n" + "4c\n=\n" * 6000 + "*-", "has more than 5,000 bars"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_errors_name_the_file_the_place_and_a_hint(fault):
    text, message = BROKEN[fault]
    with pytest.raises(ReadError) as caught:
        list(read_pieces(source(kern(text), "song.krn")))
    assert caught.value.message.startswith("song.krn ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_spines_that_split_and_split_are_refused():
    text = "**kern\n" + "".join("\t".join(["*^"] * 2**level) + "\n" for level in range(12)) + "*-\n"
    with pytest.raises(ReadError, match="has more than 256 spines"):
        check_kern(text.encode(), "song.krn")
