"""What `composer convert` writes can be read again, and errors in it are not blamed on the source."""

from fractions import Fraction
from pathlib import Path

import pytest
from musicxml_text import REPEAT, bar, notes, xml_score

from composer import formats
from composer.api import ComposerError, Note, Part, Score, Source
from composer.cli.convert.losses import VOICES_LOST
from composer.cli.convert.pieces import FoundPiece, read_pieces
from composer.cli.convert.writing import make_writer

PIECE = FoundPiece("esc.abc: tune 1", Score((Part((Note(Fraction(0), 60, Fraction(1)),)),), title="a\x1bb"))


@pytest.mark.parametrize("name", ["abc", "midi", "musicxml"])
def test_control_characters_of_titles_are_not_written(name):
    write, _ = make_writer(formats.format_named(name))
    data, losses = write(PIECE)
    assert b"a b" in data
    assert b"\x1b" not in data
    assert "titles left out" not in losses


def test_unreadable_output_is_not_blamed_on_the_source(monkeypatch):
    broken = formats.format_named("musicxml")._replace(write=lambda score, settings: b"<score-partwise><")
    monkeypatch.setitem(formats.FORMATS, "musicxml", broken)
    write, _ = make_writer(broken)
    with pytest.raises(ComposerError, match=r"the musicxml written for it cannot be read again: .* is invalid XML"):
        write(PIECE)


def two_voices(upper, lower):
    return bar(notes(upper), "<backup><duration>48</duration></backup>", notes(lower, voice=2))


LINE = "G4/1 A4/1 B4/1 C5/1"
APART = two_voices(LINE, "E4/2 D4/2")
CHORDS = two_voices("G4/1 +B4/1 A4/1 +C5/1 B4/1 +D5/1 C5/1", "E4/2 D4/2")


@pytest.mark.parametrize(
    ("bars", "form", "lost"),
    [
        ([APART] * 4, "musicxml", 0),
        ([APART] * 3 + [APART + REPEAT], "musicxml", 0),
        ([APART] * 4, "abc", 0),
        ([two_voices(LINE, "E4/1 F4/1 G4/1 A4/1")] * 4, "abc", 2),
        ([CHORDS] * 4, "musicxml", 1),
        ([CHORDS] * 4, "abc", 1),
        ([CHORDS] * 4, "midi", 0),
        ([bar(LINE)] * 4, "musicxml", 0),
    ],
)
def test_voices_of_a_staff_that_are_not_kept_are_counted(bars, form, lost):
    """The score has all notes of a staff in one part, whose voices the writers find again if they can."""
    source = Source(Path("a.musicxml"), data=xml_score(bars))
    _, (piece,) = read_pieces(source)
    write, _ = make_writer(formats.format_named(form))
    assert write(piece)[1][VOICES_LOST] == lost
