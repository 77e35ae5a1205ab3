"""Bars of MusicXML as written: with repeats and endings, if these alone tell in which order they are played."""

from dataclasses import replace
from pathlib import Path

import pytest
from musicxml_text import OPEN, REPEAT, attributes, bar, ending, notes, read, words

from composer import formats
from composer.api import Source
from composer.formats.abc.reader.score import read_score
from composer.formats.musicxml.reader import read_notation
from composer.formats.read import read_playable

A, B, C, D = (bar(f"{name}4/4") for name in "ABCD")
TIME = attributes("4/4")
DOUBLE, FINAL = (
    f'<barline location="right"><bar-style>{style}</bar-style></barline>' for style in ("light-light", "light-heavy")
)
MIDDLE = '<barline location="middle"><repeat direction="backward"/></barline>'


def test_first_and_second_endings():
    score = read([OPEN + A, ending("1", "B4/4"), ending("2", "C4/4", right=""), D + FINAL])
    first, one, two, last = score.notation.bars
    assert (first.onsets, first.length, first.number, first.endings) == ((0, 8), 4, 1, ())
    assert (one.onsets, one.number, one.times, one.endings) == ((4,), 2, 2, (1,))
    assert (two.onsets, two.number, two.times, two.endings) == ((12,), 3, 1, (2,))
    assert (last.onsets, last.number, last.divided) == ((16,), 4, True)
    assert [(each.onset, each.number) for each in score.bar_numbers] == [(0, 1), (4, 2), (8, 1), (12, 3), (16, 4)]


def test_pickups_of_sections_have_no_number():
    pickup, rest = notes("G4/1"), notes("A4/3")
    score = read([TIME + pickup, A, rest + REPEAT, OPEN + pickup, B + DOUBLE, C])
    assert [each.number for each in score.notation.bars] == [0, 1, 2, 0, 3, 4]
    assert [each.divided for each in score.notation.bars] == [False] * 4 + [True, False]


def test_bars_in_order_keep_their_usual_numbers():
    score = read([A, B, C])
    assert [each.onsets for each in score.notation.bars] == [(0,), (4,), (8,)]
    assert score.bar_numbers == ()


@pytest.mark.parametrize(
    "bars",
    [
        [A, B + words("D.C.")],
        [A, bar("B4/2", MIDDLE, "C4/2")],
        [A + notes("C4/4", attributes='time-only="2"') + REPEAT],
    ],
    ids=["jump", "repeat inside a bar", "note of one pass"],
)
def test_what_repeats_do_not_tell_has_no_notation(bars):
    score = read(bars)
    assert score.notation is None
    assert score.bar_numbers == ()


def test_a_double_bar_line_inside_a_bar_is_no_obstacle():
    inside = '<barline location="middle"><bar-style>light-light</bar-style></barline>'
    assert len(read([bar("A4/2", inside, "B4/2") + REPEAT]).notation.bars) == 1


@pytest.mark.parametrize(
    "parts",
    [
        [[TIME + A + REPEAT, B + FINAL], [C, D]],
        [[TIME + OPEN + A, ending("1, 2", "B4/4"), ending("3", "C4/4", right=""), D + FINAL]],
        [[TIME + notes("G4/1"), A, notes("B4/3") + REPEAT]],
        [[TIME + A, OPEN + notes("B4/4~"), notes("~B4/4") + REPEAT, D + FINAL]],
    ],
    ids=["parts", "three passes", "pickup", "tie"],
)
def test_repeats_are_written_again(parts):
    score = read(*parts)
    data = formats.write("musicxml", score)
    again = read_notation(data, "again.musicxml")
    assert data.count(b"<measure ") == sum(map(len, parts))
    assert [part.notes for part in again.parts] == [part.notes for part in score.parts]
    assert (again.notation, again.bar_numbers) == (score.notation, score.bar_numbers)
    played = formats.write("musicxml", replace(score, notation=None))
    assert played.count(b"<measure ") > data.count(b"<measure ")


def test_a_tie_of_one_part_does_not_join_the_notes_of_another():
    lines = ("X:1", "M:4/4", "L:1/4", "%%score [1 2]", "K:C", "V:1", "V:2", "[V:1] z2 zC-|C z3|]", "[V:2] z2 zC|C z3|]")
    score = read_score("\n".join(lines))
    again = next(read_playable(Source(Path("made.musicxml"), data=formats.write("musicxml", score))))
    assert [part.notes for part in again.parts] == [part.notes for part in score.parts]
