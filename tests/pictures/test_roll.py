"""Pictures of piano rolls: lines of bars, colors and what is left out."""

from fractions import Fraction

import pytest

from composer.api import ComposerError, Meter, Note, Part, Score
from composer.pictures import roll
from composer.pictures.roll_lines import LINE_BEATS, lines, notes_in


def melody(beats):
    return Score((Part(tuple(Note(Fraction(beat), 60 + beat % 5, Fraction(1)) for beat in range(beats))),))


def test_lines_hold_whole_bars():
    found = list(lines(melody(80)))
    assert [(line.start, line.end) for line in found] == [(0, 32), (32, 64), (64, 80)]
    assert [number for _, number in found[1].bars] == [*range(9, 17)]


def test_long_bars_are_cut():
    score = Score(melody(150).parts, meters=(Meter(Fraction(0), 70, 4),))
    found = list(lines(score))
    assert all(0 < line.end - line.start <= LINE_BEATS for line in found)
    assert [before.end for before in found[:-1]] == [after.start for after in found[1:]]
    assert [number for line in found for _, number in line.bars] == [1, 2, 3]


def test_notes_are_cut_at_the_ends_of_lines():
    note = Note(Fraction(30), 60, Fraction(10))
    first, second = lines(Score((Part((note,)),)))
    assert notes_in(first, [note]) == [(note, 30, 32)]
    assert notes_in(second, [note]) == [(note, 32, 40)]


def test_colors_by_voice_and_by_surprisal():
    note = Note(Fraction(0), 60, Fraction(1))
    assert roll._color(None, 1, note) == roll.VOICES[1]
    assert roll._color(None, len(roll.VOICES), note) == roll.VOICES[0]
    levels = (1, 2, 4, 8, 16)
    shades = [roll._color(roll.Surprise(lambda note, bits=bits: bits, levels), 0, note) for bits in (0.5, 3, 99)]
    assert shades == [roll.SHADES[0], roll.SHADES[2], roll.SHADES[-1]]


def test_silence_cannot_be_drawn():
    with pytest.raises(ComposerError, match="no notes to draw"):
        roll.draw_rolls([roll.RollPiece(Score(()))], ".svg")


def test_what_does_not_fit_is_counted():
    long = melody((roll.MAX_LINES + 1) * LINE_BEATS)
    blocks = list(roll._blocks([roll.RollPiece(long), roll.RollPiece(melody(64))]))
    assert [(len(block.lines), block.omitted) for block in blocks] == [(roll.MAX_LINES, 8), (0, 16)]
    assert [len(block.parts[0].notes) for block in blocks] == [roll.MAX_LINES * LINE_BEATS, 0]


def test_title_is_never_read_as_tex():
    pytest.importorskip("matplotlib")
    score = Score(melody(4).parts, title="$5 & \\frac{<b>}")
    svg, omitted = roll.draw_rolls([roll.RollPiece(score)], ".svg")
    assert b"$5 &amp; \\frac{&lt;b&gt;}" in svg
    assert omitted == 0
    assert (svg, omitted) == roll.draw_rolls([roll.RollPiece(score)], ".svg")


def test_title_does_not_change_the_direction_of_text():
    pytest.importorskip("matplotlib")
    svg, _ = roll.draw_rolls([roll.RollPiece(Score(melody(4).parts, title="a\u202eb\u2066c\x1bd עם"))], ".svg")
    assert "a b c d עם" in svg.decode()
