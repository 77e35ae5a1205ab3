"""Signs of measure repeat in MusicXML."""

import pytest
from musicxml_text import REPEAT, attributes, back, bar, notes, played, read

from composer.api import ReadError
from composer.formats.musicxml.measure_repeats import BEAT_REPEATS, WITHOUT_SOURCE

A, B, C, EMPTY = bar("A4/4"), bar("B4/4"), bar("C4/4"), bar("r/4")


def style(content: str, kind: str = "start", number: str = "") -> str:
    number = f' number="{number}"' if number else ""
    repeat = f'<measure-repeat type="{kind}">{content}</measure-repeat>'
    return attributes(more=f"<measure-style{number}>{repeat}</measure-style>")


STOP = style("", "stop")


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        ([A, style("1") + EMPTY, STOP + B], "A A B"),
        ([A, style("1") + EMPTY, EMPTY, EMPTY, STOP + B], "A A A A B"),
        ([A, B, style("2") + EMPTY, EMPTY, STOP + C], "A B A B C"),
        ([A, B, style("2") + EMPTY, EMPTY, EMPTY, EMPTY], "A B A B A B"),
        ([A, style("1") + bar("<forward><duration>48</duration></forward>"), STOP + EMPTY, B], "A A B"),
        ([A, style("1") + STOP + EMPTY, EMPTY, B], "A A B"),
        ([A, style("1") + B, STOP + C], "A B C"),
        ([A, style("1") + EMPTY + REPEAT, STOP + B], "A A A A B"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_bar_sounds_like_the_one_before(bars, order):
    assert played(read(bars)) == order


def test_of_one_part_only():
    score = read([A, style("1") + EMPTY], [B, C])
    assert (played(score, 0), played(score, 1)) == ("A A", "B C")


def test_of_one_staff_only():
    lower = notes("C3/4", voice=2, staff=2)
    score = read([A + back(4) + lower, style("1", number="2") + B])
    assert (played(score, 0), played(score, 1)) == ("A B", "C C")


def test_too_many_repeated_notes_are_refused_with_their_bar(monkeypatch):
    monkeypatch.setattr("composer.formats.musicxml.measure_repeats.MAX_NOTES", 3)
    bars = [A, style("1") + EMPTY, EMPTY]
    assert played(read(bars)) == "A A A"
    with pytest.raises(ReadError, match=r"a\.musicxml has measure repeats of more than 3 notes, up to bar 3"):
        read(bars, bars)


def test_a_staff_of_thousands_of_digits_is_all_staves():
    assert played(read([A, style("1", number="9" * 5000) + EMPTY])) == "A A"


def test_what_cannot_be_repeated_is_counted():
    beat = attributes(more='<measure-style><beat-repeat type="start"/></measure-style>')
    assert read([style("2") + EMPTY, STOP + A]).losses == {WITHOUT_SOURCE: 1}
    assert read([beat + A]).losses == {BEAT_REPEATS: 1}
